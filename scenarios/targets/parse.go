package targets

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gauntlet/scenarios/decode"
)

// Parse reads a target file. Every problem is reported, with its place and
// what is allowed (*decode.Error). env looks up environment variables; one that
// the file names and is not set is a problem, too.
func Parse(path string, text []byte, env func(string) (string, bool)) (Target, *Spec, error) {
	root, err := decode.Parse(path, text)
	if err != nil {
		return nil, nil, err
	}
	doc := decode.NewDocument(path, root)
	var spec Spec
	doc.Decode(&spec)
	spec.check(doc, env)
	if err := doc.Err(); err != nil {
		return nil, nil, err
	}
	return FromSpec(spec, path, env), &spec, nil
}

func (s *Spec) check(doc *decode.Document, env func(string) (string, bool)) {
	say := func(path, format string, args ...any) { doc.Reject(path, fmt.Sprintf(format, args...)) }
	if strings.TrimSpace(s.Name) == "" {
		say("name", "is missing; allowed: how reports shall call the proxy")
	}
	switch {
	case len(s.Start) == 0 && s.URL == "":
		say("start", "is missing; allowed: a command that starts the proxy, or url: of one that runs")
	case len(s.Start) > 0 && s.URL != "":
		say("url", "stands beside start; allowed: one of them")
	case s.URL != "":
		s.checkURL(say)
	default:
		s.checkStart(say)
	}
	s.checkFiles(say)
	for i, a := range s.Backends.Listen {
		if !hostPort(a) {
			say(fmt.Sprintf("backends.listen[%d]", i), "found %q; allowed: host:port", a)
		}
	}
	s.checkTaps(say)
	s.checkSignals(say)
	s.checkTraffic(say)
	s.Telemetry.check(say)
	s.checkWords(say)
	s.checkPlaces(say, env)
	for i, a := range s.Accept {
		at := fmt.Sprintf("accept[%d]", i)
		if a.Scenario == "" || a.Because == "" {
			say(at, "needs scenario and because; allowed: a scenario's id and why its failure is tolerated")
		}
		if _, err := time.Parse(time.DateOnly, a.Until); err != nil {
			say(at+".until", "found %q; allowed: a date such as 2027-01-31", a.Until)
		}
	}
}

// checkStart asks that a proxy which we start gets its addresses from us.
func (s *Spec) checkStart(say func(string, string, ...any)) {
	listens := func(name string) bool { return name == "listen" || name == "listen.host" || name == "listen.port" }
	if !s.uses(listens) {
		say("start", "nothing uses ${listen}; allowed: ${listen} in start, env or files, so that the proxy listens where clients connect")
	}
	if s.Request.CA != "" {
		say("request.ca", "stands beside start; allowed: with url only, for a proxy that is started gets its certificate from the run")
	}
	if n, all := s.endpoints(); n == 0 && !all {
		say("start", "nothing uses ${backend.0} or ${backends}; allowed: one of them in start, env or files, or the fixed addresses as backends.listen")
	}
	s.checkSends(say)
}

// checkURL asks that nothing is said of a process that is not ours to start.
func (s *Spec) checkURL(say func(string, string, ...any)) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Hostname() == "" {
		say("url", "found %q; allowed: http://host:port or https://host:port", s.URL)
		return
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		say("url", "found scheme %q; allowed: http, https", u.Scheme)
	}
	if s.Request.CA != "" && u.Scheme != "https" {
		say("request.ca", "stands beside a url of %s; allowed: with https", u.Scheme)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		say("url", "found more than a scheme and an address in %q; allowed: a scheme, a host and a port; a path goes into request.prefix", u.Redacted())
	}
	for path, stands := range map[string]bool{
		"env": len(s.Env) > 0 && len(s.Reload.Args) == 0, "files": len(s.Files) > 0, "knobs": len(s.Knobs) > 0,
		"drain": s.Drain != "", "upgrade": s.Upgrade != "", "config": s.Config != "", "stop": s.Stop != "", "reload": s.Reload.Signal != "", "telemetry.otlp": s.Telemetry.OTLP,
	} {
		if stands {
			say(path, "stands beside url; allowed: with start only, since nothing here starts the proxy at url")
		}
	}
}

// checkTaps asks that each tap knows where it stands.
func (s *Spec) checkTaps(say func(string, string, ...any)) {
	if len(s.Backends.Tap) > 0 && len(s.Backends.Listen) > 0 {
		say("backends.tap", "stands beside backends.listen; allowed: one of them, for backends are scripted or real")
	}
	for i, t := range s.Backends.Tap {
		at := fmt.Sprintf("backends.tap[%d]", i)
		if !hostPort(t.To) {
			say(at+".to", "found %q; allowed: host:port of a real backend", t.To)
		}
		switch {
		case t.Listen == "" && s.URL != "":
			say(at+".listen", "is missing; allowed: host:port at which the proxy at url finds this backend")
		case t.Listen != "" && !hostPort(t.Listen):
			say(at+".listen", "found %q; allowed: host:port", t.Listen)
		}
	}
}

func hostPort(address string) bool {
	host, port, err := net.SplitHostPort(address)
	n, notANumber := strconv.ParseUint(port, 10, 16)
	return err == nil && notANumber == nil && n > 0 && host != ""
}

func (s *Spec) checkSignals(say func(string, string, ...any)) {
	for path, name := range map[string]string{"drain": s.Drain, "stop": s.Stop, "upgrade": s.Upgrade} {
		if name != "" && signalNamed(name) == 0 {
			say(path, "found %q; allowed: %s", name, signalNames())
		}
	}
	if r := s.Reload.Signal; r != "" && signalNamed(r) == 0 {
		say("reload", "found %q; allowed: %s, or a command as a list", r, signalNames())
	}
	if s.Config != "" && s.Reload.Signal == "" && len(s.Reload.Args) == 0 {
		say("config", "found %q without reload; allowed: with it, since it is the file that a reload reads", s.Config)
	}
	if s.Reload.Args != nil && len(s.Reload.Args) == 0 {
		say("reload", "found an empty list; allowed: a command and its arguments")
	}
}
