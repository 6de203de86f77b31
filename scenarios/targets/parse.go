package targets

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"gauntlet/scenarios"
	"gauntlet/scenarios/decode"
)

// Parse reads a target file. Every problem is reported, with its place and
// what is allowed (*decode.Error). env looks up environment variables.
func Parse(path string, text []byte, env func(string) (string, bool)) (Target, *Spec, error) {
	root, err := decode.Parse(path, text)
	if err != nil {
		return nil, nil, err
	}
	doc := decode.NewDocument(path, root)
	var spec Spec
	doc.Decode(&spec)
	spec.check(doc)
	if err := doc.Err(); err != nil {
		return nil, nil, err
	}
	return FromSpec(spec, path, env), &spec, nil
}

func (s *Spec) check(doc *decode.Document) {
	say := func(path, format string, args ...any) { doc.Reject(path, fmt.Sprintf(format, args...)) }
	if s.Name == "" && !doc.Spoiled("name") {
		say("name", "is missing; allowed: how reports shall call the proxy")
	}
	switch {
	case len(s.Start) == 0 && s.URL == "":
		say("start", "is missing; allowed: a command that starts the proxy, or url: of one that runs")
	case len(s.Start) > 0 && s.URL != "":
		say("url", "stands beside start; allowed: one of them")
	case s.URL != "":
		s.checkURL(say)
	}
	if len(s.Start) > 0 && !strings.Contains(strings.Join(s.texts(), " "), "${listen") {
		say("start", "nothing uses ${listen}; allowed: ${listen} in start, env or files, so that the proxy listens where clients connect")
	}
	for i, f := range s.Files {
		if f.From == "" {
			say(fmt.Sprintf("files[%d].from", i), "is missing; allowed: a path beside the target file")
		}
	}
	for i, a := range s.Backends.Listen {
		if _, _, err := net.SplitHostPort(a); err != nil {
			say(fmt.Sprintf("backends.listen[%d]", i), "found %q; allowed: host:port", a)
		}
	}
	s.checkSignals(say)
	s.checkWords(say)
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

func (s *Spec) checkURL(say func(string, string, ...any)) {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "":
		say("url", "found %q; allowed: http://host:port", s.URL)
	case u.Scheme != "http":
		say("url", "found scheme %q; allowed: http", u.Scheme)
	case u.Path != "" && u.Path != "/":
		say("url", "found a path %q; allowed: none; use request.prefix", u.Path)
	case len(s.Backends.Listen) == 0:
		say("backends.listen", "is missing; allowed: the addresses that the proxy at url forwards to")
	}
	if ip := net.ParseIP(hostname(u)); u != nil && ip != nil && !ip.IsLoopback() || u != nil && ip == nil && hostname(u) != "localhost" {
		say("url", "found host %q; allowed: a loopback address in this version", hostname(u))
	}
}

func hostname(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Hostname()
}

func (s *Spec) checkSignals(say func(string, string, ...any)) {
	allowed := strings.Join(sortedKeys(signals), ", ")
	for path, name := range map[string]string{"drain": s.Drain, "stop": s.Stop} {
		if _, ok := signals[name]; name != "" && !ok {
			say(path, "found %q; allowed: %s", name, allowed)
		}
	}
	switch r := s.Reload.(type) {
	case nil:
	case string:
		if _, ok := signals[r]; !ok {
			say("reload", "found %q; allowed: %s, or a command as a list", r, allowed)
		}
	case []any:
		if len(r) == 0 {
			say("reload", "found an empty list; allowed: a command and its arguments")
		}
	default:
		say("reload", "found %v; allowed: %s, or a command as a list", r, allowed)
	}
}

func (s *Spec) checkWords(say func(string, string, ...any)) {
	for i, f := range s.Features {
		if !slices.Contains(scenarios.Features(), f) {
			say(fmt.Sprintf("features[%d]", i), "found %q; allowed: %s", f, strings.Join(scenarios.Features(), ", "))
		}
	}
	for _, name := range sortedKeys(s.Settings) {
		setting, ok := scenarios.Known(name)
		if !ok {
			say("settings."+name, "is no setting; see gauntlet list settings")
			continue
		}
		value, err := setting.Parse(s.Settings[name])
		if err != nil {
			say("settings."+name, "%v", err)
			continue
		}
		s.Settings[name] = value
	}
	for _, name := range sortedKeys(s.Knobs) {
		if _, ok := scenarios.Known(name); !ok {
			say("knobs."+name, "is no setting; see gauntlet list settings")
		}
		if !strings.Contains(s.Knobs[name], "${value}") {
			say("knobs."+name, "found %q; allowed: a text in which ${value} stands", s.Knobs[name])
		}
		if _, both := s.Settings[name]; both {
			say("knobs."+name, "stands in settings, too; allowed: one of them")
		}
	}
}
