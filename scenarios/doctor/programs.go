package doctor

import (
	"os/exec"

	"gauntlet/scenarios/targets"
)

// The programs that Gauntlet starts where they are there.
var started = []struct{ group, name, program, version, of, get string }{
	{"targets", "nginx", "nginx", "-v", "--target nginx", "apt-get install nginx"},
	{"targets", "haproxy", "haproxy", "-v", "--target haproxy", "apt-get install haproxy"},
	{"targets", "caddy", "caddy", "version", "--target caddy", "apt-get install caddy"},
	{"targets", "apache", "apache2", "-v", "--target apache", "apt-get install apache2"},
	{"targets", "varnish", "varnishd", "-V", "a target file that starts it", "apt-get install varnish"},
	{"targets", "envoy", "envoy", "--version", "a target file that starts it", "a release from its project"},
	{"targets", "traefik", "traefik", "version", "a target file that starts it", "a release from its project"},
	{"telemetry", "prometheus", "prometheus", "--version", "gauntlet dev dashboards", "apt-get install prometheus"},
	{"telemetry", "promtool", "promtool", "--version", "tests of the rules", "apt-get install prometheus"},
}

func programs() (found []Finding) {
	for _, p := range started {
		f := Finding{Group: p.group, Name: p.name, For: p.of, Get: p.get}
		if path, err := exec.LookPath(p.program); err == nil {
			f.Found = targets.ProgramVersion(path, p.version)
			f.OK = f.Found != ""
		}
		found = append(found, f)
	}
	return found
}
