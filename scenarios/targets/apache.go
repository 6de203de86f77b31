package targets

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gauntlet/scenarios/evidence"
)

// Apache is the apache2 found on PATH, with Debian's modules: one child with
// its threads and pool, streaming answers, no member of its balancer ever left
// alone. What each line is for stands in apache_conf.go.
func Apache() Target {
	return installed{name: "apache", program: "apache2", version: "-v", plan: planApache}
}

func planApache(w Wants) (*Plan, error) {
	plain := func(v string) string { return v }
	line := func(format string) knob { return func(v string) string { return fmt.Sprintf(format, v) } }
	ms := func(format string) knob {
		return func(v string) string { return fmt.Sprintf(format, milliseconds(v)) }
	}
	seconds := func(format string) knob {
		return func(v string) string { return fmt.Sprintf(format, int(wholeSeconds(v)/time.Second)) }
	}
	knobs := map[string]knob{
		"upstream.timeouts.connect":     ms("connectiontimeout=%dms"),
		"upstream.timeouts.headers":     seconds("timeout=%d"),
		"upstream.timeouts.body_idle":   seconds("timeout=%d"),
		"upstream.timeouts.write":       seconds("timeout=%d"),
		"upstream.idle_timeout":         seconds("ttl=%d"),
		"upstream.pool.max_connections": line("max=%s"),
		"upstream.pool.wait":            ms("acquire=%d"),
		"upstream.retries":              line("maxattempts=%s"),
		"downstream.idle_timeout":       ms("KeepAliveTimeout %dms"),
		"downstream.header_timeout":     seconds("RequestReadTimeout header=%d body=0"),
		"downstream.body_timeout":       seconds("Timeout %d"),
		"downstream.write_timeout":      seconds("Timeout %d"),
		"downstream.tls": func(string) string {
			return fmt.Sprintf("SSLEngine On\nSSLCertificateFile %s\nSSLCertificateKeyFile %s", w.TLS.Cert, w.TLS.Key)
		},
		"downstream.http2": plain,
		rewriteSet:         plain,
		rewriteRemove:      plain,
	}
	fixed := map[string]string{"upstream.endpoints": strconv.Itoa(len(w.Backends)), "upstream.workers": "1", "lifecycle.drain": "true", "lifecycle.announce": "0s"}
	effective, texts, lacks := resolve(w.Given, fixed, knobs)
	features := []string{"streaming", "retries", "http1.0", "drain", "pool", "upgrade", "interim", "expect", "reload", "reload_endpoints", "reload_refuses"}
	if err := unsupported("apache", lacks, lackingFeatures(w.Requires, features)); err != nil {
		return nil, err
	}
	for _, name := range apacheSeconds {
		if v, ok := texts[name]; ok && v != "" {
			effective[name] = wholeSeconds(effective[name]).String()
		}
	}
	shareOne(effective, texts, "upstream.timeouts.headers", "upstream.timeouts.body_idle", "upstream.timeouts.write")
	shareOne(effective, texts, "downstream.body_timeout", "downstream.write_timeout")
	return runApache(w, apacheConf(w, texts), effective)
}

// runApache writes the configuration and says how it is run.
func runApache(w Wants, conf string, effective map[string]string) (*Plan, error) {
	path := filepath.Join(w.Dir, "apache.conf")
	if err := writeFile(path, []byte(conf)); err != nil {
		return nil, err
	}
	return &Plan{
		Args:     []string{"apache2", "-D", "FOREGROUND", "-f", path},
		Dir:      w.Dir,
		Address:  w.Listen,
		Settings: effective,
		Ready:    Ready{Timeout: 15 * time.Second},
		Drain:    syscall.SIGWINCH,
		Stop:     syscall.SIGTERM,
		Reload:   Reload{Args: []string{"apache2", "-f", path, "-k", "graceful"}}, // SIGUSR1 alone ends it when the file is bad
		Config:   path,
		Grace:    10 * time.Second,

		Telemetry: []string{"access_log"},
		AccessLog: filepath.Join(w.Dir, "access.log"),
		Says:      evidence.Says{Fields: evidence.Fields{Trace: "trace_id"}}, // it has no spans of its own
	}, nil
}

// apacheSeconds are the settings that it takes in whole seconds.
var apacheSeconds = []string{
	"upstream.timeouts.headers", "upstream.timeouts.body_idle", "upstream.timeouts.write", "upstream.idle_timeout",
	"downstream.header_timeout", "downstream.body_timeout", "downstream.write_timeout",
}

// wholeSeconds rounds a duration up to what is counted in seconds.
func wholeSeconds(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		return time.Second
	}
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}

// milliseconds gives a duration in them, 1 at least.
func milliseconds(text string) int64 {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 1 // scenarios.Setting has parsed it
	}
	return max(1, d.Milliseconds())
}

// shareOne is for settings that are one word to the proxy: the first that is
// wanted holds for all of them.
func shareOne(effective, texts map[string]string, names ...string) {
	first := ""
	for _, n := range names {
		switch {
		case texts[n] == "":
		case first == "":
			first = n
		default:
			delete(texts, n)
			effective[n] = effective[first]
		}
	}
}

// apacheMembers gives the balancer's members with their parameters.
func apacheMembers(w Wants, texts map[string]string) string {
	var b strings.Builder
	for _, address := range w.Backends {
		fmt.Fprintf(&b, "    BalancerMember http://%s retry=0 flushpackets=on upgrade=ANY", address)
		for _, name := range []string{
			"upstream.timeouts.connect", "upstream.timeouts.headers", "upstream.timeouts.body_idle", "upstream.timeouts.write",
			"upstream.idle_timeout", "upstream.pool.max_connections", "upstream.pool.wait",
		} {
			if texts[name] != "" {
				b.WriteString(" " + texts[name])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
