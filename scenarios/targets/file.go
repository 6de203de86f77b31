package targets

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gauntlet/scenarios"
	"gauntlet/scenarios/expect"
)

// ErrSpec is wrapped by every error about what a target file asks for and this
// machine does not have, such as a file that it names.
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

// Plan expands the file for one instance. Nothing is written before all of it
// is known to be in order.
func (f *fileTarget) Plan(w Wants) (*Plan, error) {
	knobs := map[string]knob{}
	for name, text := range f.spec.Knobs {
		knobs[name] = rendered(name, text)
	}
	fixed := map[string]string{"upstream.endpoints": strconv.Itoa(len(w.Backends))}
	maps.Copy(fixed, f.spec.Settings)
	if f.spec.Drain != "" {
		fixed["lifecycle.drain"] = "true"
	}
	effective, texts, lacks := resolve(w.Given, fixed, knobs)
	if fixed["downstream.tls"] == "true" && w.Given["downstream.tls"] != "true" {
		lacks = append(lacks, "setting downstream.tls = false (it is fixed at true)")
	}
	if n, all := f.spec.endpoints(); !all && n != len(w.Backends) {
		lacks = append(lacks, fmt.Sprintf("setting upstream.endpoints = %d (the file uses %d)", len(w.Backends), n))
	}
	if err := unsupported(f.spec.Name, lacks, lackingFeatures(w.Requires, f.features())); err != nil {
		return nil, err
	}
	x := f.expander(w, texts)
	p := &Plan{Dir: filepath.Dir(f.path), Address: w.Listen, Settings: effective, Grace: 10 * time.Second}
	if err := f.process(p, x); err != nil {
		return nil, err
	}
	if err := f.traffic(p, x); err != nil {
		return nil, err
	}
	if err := f.install(w.Dir, x); err != nil {
		return nil, err
	}
	p.Secrets = x.secrets
	return p, nil
}

// rendered puts a setting's value into a knob's text.
func rendered(name, text string) knob {
	return func(v string) string {
		pairs := []string{"${value}", v}
		if d, err := time.ParseDuration(v); err == nil && isDuration(name) {
			pairs = append(pairs, "${value.ms}", strconv.FormatInt(d.Milliseconds(), 10))
		}
		return strings.NewReplacer(pairs...).Replace(text)
	}
}

func isDuration(setting string) bool {
	s, ok := scenarios.Known(setting)
	return ok && s.Type == expect.DurationSetting
}

// features counts what other words of the file imply, too.
func (f *fileTarget) features() []string {
	has := slices.Clone(f.spec.Features)
	if f.spec.Drain != "" {
		has = append(has, "drain")
	}
	if f.spec.Reload.Signal != "" || len(f.spec.Reload.Args) > 0 {
		has = append(has, "reload")
	}
	if f.spec.Config != "" {
		has = append(has, "reload_refuses")
	}
	if f.spec.Upgrade != "" {
		has = append(has, "replace")
	}
	return has
}

func (f *fileTarget) process(p *Plan, x *expander) (err error) {
	if p.Args, err = x.command(f.spec.Start, "start"); err != nil {
		return err
	}
	for _, name := range sortedKeys(f.spec.Env) {
		text, err := x.text(f.spec.Env[name], "env."+name)
		if err != nil {
			return err
		}
		p.Env = append(p.Env, name+"="+text)
	}
	p.Drain, p.Stop = signalNamed(f.spec.Drain), cmp.Or(signalNamed(f.spec.Stop), syscall.SIGTERM)
	p.Upgrade = signalNamed(f.spec.Upgrade)
	if p.Config, err = x.text(f.spec.Config, "config"); err != nil {
		return err
	}
	if f.spec.URL != "" {
		u, err := url.Parse(f.spec.URL)
		if err != nil {
			return fmt.Errorf("%w: %s: url: %w", ErrSpec, f.path, err)
		}
		if err := f.dial(p, u); err != nil {
			return err
		}
	}
	p.Reload.Signal = signalNamed(f.spec.Reload.Signal)
	p.Reload.Args, err = x.command(f.spec.Reload.Args, "reload")
	return err
}

func (f *fileTarget) traffic(p *Plan, x *expander) (err error) {
	p.Request = Request{Host: cmp.Or(f.spec.Request.Host, p.Request.Host), Prefix: f.spec.Request.Prefix, Headers: map[string]string{}}
	for _, name := range sortedKeys(f.spec.Request.Headers) {
		if p.Request.Headers[name], err = x.text(f.spec.Request.Headers[name], "request.headers."+name); err != nil {
			return err
		}
	}
	p.Ready = Ready{Through: f.spec.Ready.Request, Timeout: cmp.Or(f.spec.Ready.Timeout.D(), 15*time.Second)}
	if p.Ready.Through == "" && !f.spec.Ready.Connect {
		p.Ready.Through = "/"
	}
	if p.Prometheus, err = x.text(f.spec.Telemetry.Prometheus, "telemetry.prometheus"); err != nil {
		return err
	}
	if p.AccessLog, err = x.text(f.spec.Telemetry.AccessLog, "telemetry.access_log"); err != nil {
		return err
	}
	p.Says, p.Metrics = f.spec.Telemetry.says(), f.spec.Telemetry.gauges()
	p.Telemetry = append(p.Telemetry, f.spec.Telemetry.sent()...)
	if p.Prometheus != "" {
		p.Telemetry = append(p.Telemetry, "metrics")
	}
	if p.AccessLog != "" {
		p.Telemetry = append(p.Telemetry, "access_log")
	}
	return nil
}
