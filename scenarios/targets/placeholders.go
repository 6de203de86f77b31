package targets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxBackends bounds N in ${backend.N}.
const maxBackends = 64

// placeholderHelp is what an error about a placeholder says is allowed.
const placeholderHelp = "${listen}, ${listen.host}, ${listen.port}, ${backend.N}, ${backend.N.host}, ${backend.N.port}, ${backends}, ${admin}, ${dir}, ${otlp}, ${otlp.grpc}, ${tls.cert}, ${tls.key}, ${tls.ca}, ${knobs}, ${knob.NAME} of a knob in this file, ${env:NAME}"

// A place is a text in which placeholders may stand, and where it is.
type place struct{ path, text string }

// places lists them all, in a fixed order.
func (s *Spec) places() []place {
	var all []place
	add := func(path, text string) { all = append(all, place{path, text}) }
	for i, arg := range s.Start {
		add(fmt.Sprintf("start[%d]", i), arg)
	}
	for _, name := range sortedKeys(s.Env) {
		add("env."+name, s.Env[name])
	}
	for i, f := range s.Files {
		for _, old := range sortedKeys(f.Replace) {
			add(fmt.Sprintf("files[%d].replace.%s", i, old), f.Replace[old])
		}
	}
	for i, arg := range s.Reload.Args {
		add(fmt.Sprintf("reload[%d]", i), arg)
	}
	for _, name := range sortedKeys(s.Request.Headers) {
		add("request.headers."+name, s.Request.Headers[name])
	}
	add("config", s.Config)
	add("telemetry.prometheus", s.Telemetry.Prometheus)
	add("telemetry.access_log", s.Telemetry.AccessLog)
	return all
}

// uses reports whether a placeholder that ok accepts stands anywhere.
func (s *Spec) uses(ok func(name string) bool) bool {
	return slices.ContainsFunc(s.places(), func(p place) bool {
		names, _ := placeholders(p.text)
		return slices.ContainsFunc(names, ok)
	})
}

// endpoints is how many backends the file makes use of; all says that it takes
// as many as there are.
func (s *Spec) endpoints() (n int, all bool) {
	all = s.uses(func(name string) bool { return name == "backends" })
	for i := range maxBackends {
		if s.uses(func(name string) bool { b, ok := backendNumber(name); return ok && b == i }) {
			n = i + 1
		}
	}
	if n == 0 {
		n = max(len(s.Backends.Listen), len(s.Backends.Tap))
	}
	return n, all
}

// placeholders gives the names within ${…} in order; whole is false when one
// is not closed.
func placeholders(text string) (names []string, whole bool) {
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return names, true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return append(names, rest), false
		}
		names, text = append(names, name), after
	}
}

// backendNumber gives N of backend.N, backend.N.host and backend.N.port.
func backendNumber(name string) (int, bool) {
	rest, ok := strings.CutPrefix(name, "backend.")
	if !ok {
		return 0, false
	}
	digits, part, more := strings.Cut(rest, ".")
	n, err := strconv.Atoi(digits)
	ok = err == nil && n >= 0 && n < maxBackends && strconv.Itoa(n) == digits && (!more || part == "host" || part == "port")
	return n, ok
}

// isFile reports whether a name stands for one of the case's PEM files.
func isFile(name string) bool { return name == "tls.cert" || name == "tls.key" || name == "tls.ca" }

// means reports whether a name can stand for something in this file.
func (s *Spec) means(name string) bool {
	switch name {
	case "listen", "listen.host", "listen.port", "admin", "dir", "otlp", "otlp.grpc", "backends", "knobs":
		return true
	}
	if isFile(name) {
		return true
	}
	if knob, ok := strings.CutPrefix(name, "knob."); ok {
		_, ok = s.Knobs[knob]
		return ok
	}
	if env, ok := strings.CutPrefix(name, "env:"); ok {
		return env != ""
	}
	_, ok := backendNumber(name)
	return ok
}

// checkPlaces finds placeholders that stand for nothing, so that a typo does
// not reach the proxy's command line, and variables that are not set.
func (s *Spec) checkPlaces(say func(string, string, ...any), env func(string) (string, bool)) {
	for _, p := range s.places() {
		names, whole := placeholders(p.text)
		if !whole {
			say(p.path, "found ${ without its }; allowed: %s", placeholderHelp)
			continue
		}
		for _, name := range names {
			variable, isEnv := strings.CutPrefix(name, "env:")
			if !s.means(name) {
				say(p.path, "found ${%s}, which stands for nothing; allowed: %s", name, placeholderHelp)
			} else if isEnv {
				if _, set := env(variable); !set {
					say(p.path, "environment variable %s is not set; allowed: one that is", variable)
				}
			}
		}
	}
}
