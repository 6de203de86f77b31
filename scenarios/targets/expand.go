package targets

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// minSecret is the length from which on the value of an environment variable
// is kept out of evidence. A shorter one would be found everywhere.
const minSecret = 4

// An expander puts values in place of ${…} and remembers which of them came
// from the environment.
type expander struct {
	file    string
	values  map[string]string
	knobs   []string // the knobs' texts, one each
	env     func(string) (string, bool)
	secrets []string
}

// expander gives the values of an instance. knobs are the texts of those that
// the scenario sets; the others stand for nothing.
func (f *fileTarget) expander(w Wants, knobs map[string]string) *expander {
	v := map[string]string{"listen": w.Listen, "admin": w.Admin, "dir": w.Dir, "otlp": w.OTLP, "otlp.grpc": w.OTLPGRPC, "tls.cert": w.TLS.Cert, "tls.key": w.TLS.Key, "tls.ca": w.TLS.CA, "backends": strings.Join(w.Backends, ",")}
	split := func(name, address string) {
		host, port, err := net.SplitHostPort(address)
		if err == nil {
			v[name+".host"], v[name+".port"] = host, port
		}
	}
	split("listen", w.Listen)
	for i, b := range w.Backends {
		v["backend."+strconv.Itoa(i)] = b
		split("backend."+strconv.Itoa(i), b)
	}
	for name := range f.spec.Knobs {
		v["knob."+name] = ""
	}
	lines := make([]string, 0, len(knobs))
	files := strings.NewReplacer("${tls.cert}", w.TLS.Cert, "${tls.key}", w.TLS.Key, "${tls.ca}", w.TLS.CA)
	for _, name := range sortedKeys(knobs) {
		line := files.Replace(knobs[name])
		v["knob."+name] = line
		lines = append(lines, line)
	}
	v["knobs"] = strings.Join(lines, "\n")
	return &expander{file: f.path, values: v, knobs: lines, env: f.env}
}

// text expands one text; at is its path in the file.
func (x *expander) text(text, at string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		v, known := x.values[name]
		if variable, ok := strings.CutPrefix(name, "env:"); ok {
			if v, known = x.env(variable); !known {
				return "", fmt.Errorf("%w: %s: %s: environment variable %s is not set", ErrSpec, x.file, at, variable)
			}
			if len(v) >= minSecret && !slices.Contains(x.secrets, v) {
				x.secrets = append(x.secrets, v)
			}
		}
		if !closed || !known {
			return "", fmt.Errorf("%w: %s: %s: found ${%s}, which stands for nothing here; allowed: %s", ErrSpec, x.file, at, name, placeholderHelp)
		}
		out.WriteString(v)
		text = after
	}
}

// command expands arguments. ${knobs} on its own becomes an argument for each
// knob that is set, ${knob.NAME} on its own none when it is not.
func (x *expander) command(args []string, at string) ([]string, error) {
	var out []string
	for i, arg := range args {
		if arg == "${knobs}" {
			out = append(out, x.knobs...)
			continue
		}
		text, err := x.text(arg, fmt.Sprintf("%s[%d]", at, i))
		if err != nil {
			return nil, err
		}
		if text == "" && strings.HasPrefix(arg, "${knob.") {
			continue
		}
		out = append(out, text)
	}
	return out, nil
}
