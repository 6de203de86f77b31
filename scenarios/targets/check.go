package targets

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"gauntlet/scenarios"
)

func (s *Spec) checkFiles(say func(string, string, ...any)) {
	seen := map[string]bool{}
	for i, f := range s.Files {
		at := fmt.Sprintf("files[%d]", i)
		switch {
		case f.From == "":
			say(at+".from", "is missing; allowed: a path beside the target file")
		case !filepath.IsLocal(f.to()):
			say(at+".to", "found %q; allowed: a path within ${dir}", f.To)
		case seen[filepath.Clean(f.to())]:
			say(at+".to", "found %q, where another file goes; allowed: a path of its own", f.to())
		}
		seen[filepath.Clean(f.to())] = true
		for old := range f.Replace {
			if old == "" {
				say(at+".replace", "found an empty text to replace; allowed: a text that stands in the file")
			}
		}
	}
}

// checkTraffic looks at what is said of the requests.
func (s *Spec) checkTraffic(say func(string, string, ...any)) {
	r := s.Request
	if r.Host != "" && !httpguts.ValidHostHeader(r.Host) {
		say("request.host", "found %q; allowed: what may stand in a Host field", r.Host)
	}
	if r.Prefix != "" && (!path(r.Prefix) || strings.HasSuffix(r.Prefix, "/")) {
		say("request.prefix", "found %q; allowed: a path such as /api, without a / at its end", r.Prefix)
	}
	for _, name := range sortedKeys(r.Headers) {
		at := "request.headers." + name
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(r.Headers[name]) {
			say(at, "found %q: %q; allowed: a field's name and its value", name, r.Headers[name])
		}
		if slices.Contains(ourFields(), strings.ToLower(name)) {
			say(at, "is a field that scenarios write; allowed: any but %s", strings.Join(ourFields(), ", "))
		}
	}
	if s.Ready.Request != "" && !path(s.Ready.Request) {
		say("ready.request", "found %q; allowed: a path such as /healthz", s.Ready.Request)
	}
	if s.Ready.Request != "" && s.Ready.Connect {
		say("ready.connect", "stands beside ready.request; allowed: one of them")
	}
	if s.Ready.Timeout < 0 {
		say("ready.timeout", "found %s; allowed: a time above 0", s.Ready.Timeout)
	}
}

// path reports whether text can be the path of a request line.
func path(text string) bool {
	return strings.HasPrefix(text, "/") && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' || r == '?' })
}

// ourFields are the fields that frame a message or name its exchange.
func ourFields() []string {
	return []string{"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade", "x-gauntlet-id", "traceparent"}
}

// checkWords looks at features, settings and knobs.
func (s *Spec) checkWords(say func(string, string, ...any)) {
	for i, f := range s.Features {
		if !slices.Contains(scenarios.Features(), f) {
			say(fmt.Sprintf("features[%d]", i), "found %q; allowed: %s", f, strings.Join(scenarios.Features(), ", "))
		}
	}
	for _, name := range sortedKeys(s.Settings) {
		setting, ok := scenarios.Known(name)
		switch value, err := setting.Parse(s.Settings[name]); {
		case !ok:
			say("settings."+name, "is no setting; allowed: see gauntlet list settings")
		case name == "upstream.endpoints":
			say("settings."+name, "stands here; allowed: nothing, the file says it by the ${backend.N} that it uses")
		case err != nil:
			say("settings."+name, "%v", err)
		default:
			s.Settings[name] = value
		}
	}
	for _, name := range sortedKeys(s.Knobs) {
		s.checkKnob(name, say)
	}
}

func (s *Spec) checkKnob(name string, say func(string, string, ...any)) {
	at := "knobs." + name
	if _, ok := scenarios.Known(name); !ok || name == "upstream.endpoints" {
		say(at, "is no setting that a knob can have; allowed: see gauntlet list settings")
		return
	}
	allowed := []string{"value"}
	if isDuration(name) {
		allowed = append(allowed, "value.ms")
	}
	names, whole := placeholders(s.Knobs[name])
	if strings.HasSuffix(name, ".tls") && !isDuration(name) {
		allowed = []string{"tls.cert", "tls.key", "tls.ca"}
	}
	stranger := slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(allowed, n) && !isFile(n) })
	if !whole || stranger || len(names) == 0 {
		say(at, "found %q; allowed: a text in which ${%s} stands, and no other ${…}", s.Knobs[name], strings.Join(allowed, "} or ${"))
	}
	if _, both := s.Settings[name]; both {
		say(at, "stands in settings, too; allowed: one of them")
	}
	if len(s.Start) > 0 && !s.uses(func(n string) bool { return n == "knobs" || n == "knob."+name }) {
		say(at, "is used nowhere; allowed: ${knobs} or ${knob.%s} in start, env or files, so that what it sets reaches the proxy", name)
	}
}
