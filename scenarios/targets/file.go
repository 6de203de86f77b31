package targets

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrSpec is wrapped by every error about a target file's content.
var ErrSpec = errors.New("target file")

// fileTarget is a proxy that a target file describes.
type fileTarget struct {
	spec Spec
	path string // of the target file
	env  func(string) (string, bool)
}

// FromSpec makes a target of a decoded file; env looks up the environment
// variables it names. The spec must have been validated.
func FromSpec(spec Spec, path string, env func(string) (string, bool)) Target {
	return &fileTarget{spec: spec, path: path, env: env}
}

func (f *fileTarget) Name() string    { return f.spec.Name }
func (f *fileTarget) Version() string { return f.spec.Version }

// endpoints is how many backends the file makes use of.
func (f *fileTarget) endpoints() int {
	n := 1
	for _, text := range f.spec.texts() {
		if strings.Contains(text, "${backends}") {
			return 64
		}
		for i := range 64 {
			if strings.Contains(text, "${backend."+strconv.Itoa(i)+"}") {
				n = max(n, i+1)
			}
		}
	}
	return max(n, len(f.spec.Backends.Listen))
}

// texts are all places where placeholders may stand.
func (s *Spec) texts() []string {
	texts := slices.Clone(s.Start)
	for _, v := range s.Env {
		texts = append(texts, v)
	}
	for _, file := range s.Files {
		for _, v := range file.Replace {
			texts = append(texts, v)
		}
	}
	return texts
}

func (f *fileTarget) Plan(w Wants) (*Plan, error) {
	knobs := map[string]knob{}
	for name, text := range f.spec.Knobs {
		knobs[name] = func(v string) string { return strings.ReplaceAll(text, "${value}", v) }
	}
	fixed := map[string]string{"upstream.endpoints": strconv.Itoa(len(w.Backends)), "upstream.workers": "1"}
	maps.Copy(fixed, f.spec.Settings)
	if f.spec.Drain != "" {
		fixed["lifecycle.drain"] = "true"
	}
	effective, texts, lacks := resolve(w.Given, fixed, knobs)
	if have := f.endpoints(); len(w.Backends) > have {
		lacks = append(lacks, fmt.Sprintf("setting upstream.endpoints = %d (the file uses %d)", len(w.Backends), have))
	}
	if err := unsupported(f.spec.Name, lacks, lackingFeatures(w.Requires, f.features())); err != nil {
		return nil, err
	}
	values := f.values(w, texts)
	p := &Plan{Dir: filepath.Dir(f.path), Address: w.Listen, Settings: effective, Grace: 10 * time.Second}
	if err := f.install(w.Dir, values); err != nil {
		return nil, err
	}
	if err := f.process(p, values); err != nil {
		return nil, err
	}
	return p, f.traffic(p, values)
}

// features counts what settings imply, too.
func (f *fileTarget) features() []string {
	has := append([]string{"streaming", "pool", "http1.0"}, f.spec.Features...)
	if f.spec.Drain != "" {
		has = append(has, "drain")
	}
	return has
}

func (f *fileTarget) values(w Wants, knobs map[string]string) map[string]string {
	host, port, _ := strings.Cut(w.Listen, ":")
	v := map[string]string{
		"listen": w.Listen, "listen.host": host, "listen.port": port,
		"admin": w.Admin, "dir": w.Dir, "otlp": w.OTLP, "backends": strings.Join(w.Backends, ","),
	}
	lines := make([]string, 0, len(knobs))
	for _, name := range sortedKeys(knobs) {
		v["knob."+name] = knobs[name]
		lines = append(lines, knobs[name])
	}
	v["knobs"] = strings.Join(lines, "\n")
	for i, b := range w.Backends {
		v["backend."+strconv.Itoa(i)] = b
		h, p, _ := strings.Cut(b, ":")
		v["backend."+strconv.Itoa(i)+".host"], v["backend."+strconv.Itoa(i)+".port"] = h, p
	}
	return v
}

// install copies the files with their replacements.
func (f *fileTarget) install(dir string, values map[string]string) error {
	for i, file := range f.spec.Files {
		from := file.From
		if !filepath.IsAbs(from) {
			from = filepath.Join(filepath.Dir(f.path), from)
		}
		text, err := os.ReadFile(from)
		if err != nil {
			return fmt.Errorf("%w: %s: files[%d].from: %w", ErrSpec, f.path, i, err)
		}
		out := string(text)
		for _, old := range sortedKeys(file.Replace) {
			if !strings.Contains(out, old) {
				return fmt.Errorf("%w: %s: files[%d].replace: %q does not stand in %s", ErrSpec, f.path, i, old, file.From)
			}
			with, err := f.expand(file.Replace[old], values, fmt.Sprintf("files[%d].replace", i))
			if err != nil {
				return err
			}
			out = strings.ReplaceAll(out, old, with)
		}
		to := file.To
		if to == "" {
			to = filepath.Base(file.From)
		}
		if err := writeFile(filepath.Join(dir, to), []byte(out)); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileTarget) process(p *Plan, values map[string]string) error {
	for i, arg := range f.spec.Start {
		text, err := f.expand(arg, values, fmt.Sprintf("start[%d]", i))
		if err != nil {
			return err
		}
		p.Args = append(p.Args, text)
	}
	for _, name := range sortedKeys(f.spec.Env) {
		text, err := f.expand(f.spec.Env[name], values, "env."+name)
		if err != nil {
			return err
		}
		p.Env = append(p.Env, name+"="+text)
	}
	p.Stop, p.Drain = syscall.SIGTERM, signalNamed(f.spec.Drain)
	if s := signalNamed(f.spec.Stop); s != 0 {
		p.Stop = s
	}
	if f.spec.URL != "" {
		u, err := url.Parse(f.spec.URL)
		if err != nil {
			return fmt.Errorf("%w: %s: url: %w", ErrSpec, f.path, err)
		}
		p.Address = u.Host
		if u.Port() == "" {
			p.Address += ":80"
		}
	}
	return f.reload(p, values)
}

func (f *fileTarget) reload(p *Plan, values map[string]string) error {
	switch r := f.spec.Reload.(type) {
	case string:
		p.Reload.Signal = signalNamed(r)
	case []any:
		for i, arg := range r {
			text, err := f.expand(fmt.Sprint(arg), values, fmt.Sprintf("reload[%d]", i))
			if err != nil {
				return err
			}
			p.Reload.Args = append(p.Reload.Args, text)
		}
	}
	return nil
}

func (f *fileTarget) traffic(p *Plan, values map[string]string) error {
	p.Request = Request{Host: f.spec.Request.Host, Prefix: f.spec.Request.Prefix, Headers: map[string]string{}}
	for _, name := range sortedKeys(f.spec.Request.Headers) {
		text, err := f.expand(f.spec.Request.Headers[name], values, "request.headers."+name)
		if err != nil {
			return err
		}
		p.Request.Headers[name] = text
	}
	p.Ready = Ready{Through: f.spec.Ready.Request, Timeout: f.spec.Ready.Timeout.D()}
	if p.Ready.Through == "" && !f.spec.Ready.Connect {
		p.Ready.Through = "/"
	}
	if p.Ready.Timeout == 0 {
		p.Ready.Timeout = 15 * time.Second
	}
	var err error
	if p.Prometheus, err = f.expand(f.spec.Telemetry.Prometheus, values, "telemetry.prometheus"); err != nil {
		return err
	}
	if p.AccessLog, err = f.expand(f.spec.Telemetry.AccessLog, values, "telemetry.access_log"); err != nil {
		return err
	}
	if f.spec.Telemetry.OTLP {
		p.Telemetry = append(p.Telemetry, "traces")
	}
	if p.Prometheus != "" {
		p.Telemetry = append(p.Telemetry, "metrics")
	}
	return nil
}

// expand puts values in place of ${…}. A name that stands for nothing is an
// error, so that a typo does not reach the proxy's command line.
func (f *fileTarget) expand(text string, values map[string]string, at string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		v, known := values[name]
		if env, ok := strings.CutPrefix(name, "env:"); ok {
			if v, known = f.env(env); !known {
				return "", fmt.Errorf("%w: %s: %s: environment variable %s is not set", ErrSpec, f.path, at, env)
			}
		}
		if !closed || !known {
			return "", fmt.Errorf("%w: %s: %s: ${%s} stands for nothing; allowed: ${%s}, ${env:NAME}", ErrSpec, f.path, at, name, strings.Join(sortedKeys(values), "}, ${"))
		}
		out.WriteString(v)
		text = after
	}
}

// Signals a target file may name.
var signals = map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGQUIT": syscall.SIGQUIT, "SIGHUP": syscall.SIGHUP, "SIGUSR1": syscall.SIGUSR1, "SIGUSR2": syscall.SIGUSR2, "SIGWINCH": syscall.SIGWINCH, "SIGKILL": syscall.SIGKILL}

func signalNamed(s string) syscall.Signal { return signals[s] }
