package targets

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"gauntlet/scenarios"
)

// A proxyTarget is a program that takes the reference proxy's configuration:
// the reference itself or a mutant of it.
type proxyTarget struct {
	name string
	args []string // program and subcommand; --config FILE is added
}

// Reference is the reference proxy, run by the gauntlet binary at program.
func Reference(program string) Target {
	return &proxyTarget{name: "reference", args: []string{program, "proxy"}}
}

// Mutant is the reference proxy broken in the named way.
func Mutant(program, mutant string) Target {
	return &proxyTarget{name: "mutant:" + mutant, args: []string{program, "dev", "mutant", mutant}}
}

func (p *proxyTarget) Name() string { return p.name }

func (p *proxyTarget) Version() string { return firstLine(p.args[0], "version") }

// proxyFeatures is what the reference proxy can do.
var proxyFeatures = []string{"trailers", "interim", "upgrade", "full_duplex", "retries", "recovery", "breaker", "http1.0", "drain", "pool", "streaming", "expect", "reload", "reload_endpoints", "reload_refuses", "replace", "announce"}

// proxyKnobs maps settings to where they stand in the proxy's configuration.
var proxyKnobs = map[string]string{
	"upstream.retries":              "retries",
	"upstream.idle_timeout":         "pool.idle_timeout",
	"upstream.timeouts.deadline":    "deadline",
	"upstream.timeouts.connect":     "timeouts.connect",
	"upstream.timeouts.tls":         "timeouts.tls",
	"upstream.timeouts.write":       "timeouts.write",
	"upstream.timeouts.headers":     "timeouts.headers",
	"upstream.timeouts.body_idle":   "timeouts.body_idle",
	"upstream.timeouts.per_try":     "timeouts.per_try",
	"upstream.pool.max_connections": "pool.max_connections",
	"upstream.pool.max_idle":        "pool.max_idle",
	"upstream.pool.wait":            "pool.wait",
	"upstream.breaker.failure_rate": "breaker.failure_rate",
	"upstream.breaker.min_failures": "breaker.min_failures",
	"upstream.breaker.window":       "breaker.window",
	"upstream.breaker.open_for":     "breaker.open_for",
	"upstream.breaker.half_open":    "breaker.half_open",
	"upstream.balance":              "balance.policy",
	"upstream.protocol":             "protocol",
	"upstream.tls":                  "tls.enabled",
	"upstream.weights":              "endpoints",
	"upstream.ejection.failures":    "ejection.failures",
	"upstream.ejection.for":         "ejection.for",
	"upstream.ejection.max_percent": "ejection.max_percent",
	"upstream.health.path":          "health.path",
	"upstream.health.interval":      "health.interval",
	"upstream.health.unhealthy":     "health.unhealthy",
	"upstream.health.healthy":       "health.healthy",
	"upstream.hedge.after":          "hedge.after",
	"upstream.hedge.max":            "hedge.max",
	"upstream.limit.concurrent":     "limit.concurrent",
	"upstream.limit.queue":          "limit.queue",
	"upstream.limit.wait":           "limit.wait",
	"upstream.pool.min_idle":        "pool.min_idle",
	rewriteFind:                     "rewrite.body",
	rewriteReplace:                  "rewrite.body", // beside it
	rewriteSet:                      "rewrite.headers.set",
	rewriteRemove:                   "rewrite.headers.remove",
	"upstream.retry.backoff":        "retry.backoff",
	"upstream.retry.max_backoff":    "retry.max_backoff",
	"upstream.retry.budget":         "retry.budget",
	"upstream.retry.replay_bytes":   "retry.replay_bytes",
}

// proxyGroups says what a setting of a group switches on.
var proxyGroups = map[string]struct {
	at    string
	value any
}{
	"upstream.breaker.":  {"breaker.enabled", true},
	"upstream.ejection.": {"ejection.enabled", true},
	"upstream.health.":   {"health.check", "http"},
}

// weigh gives each backend its weight of text, as in "3,1".
func weigh(backends []string, text string) ([]any, error) {
	weights := strings.Split(text, ",")
	if len(weights) != len(backends) {
		return nil, fmt.Errorf("upstream.weights: found %q; allowed: one for each of %d endpoints", text, len(backends))
	}
	list := make([]any, len(backends))
	for i, one := range weights {
		n, err := strconv.Atoi(strings.TrimSpace(one))
		if err != nil {
			return nil, fmt.Errorf("upstream.weights: found %q; allowed: whole numbers, as in 3,1", text)
		}
		list[i] = map[string]any{"address": backends[i], "weight": n}
	}
	return list, nil
}

// proxyTop maps the settings that stand outside the upstream.
var proxyTop = map[string]string{
	"downstream.idle_timeout":   "limits.idle_timeout",
	"downstream.header_timeout": "limits.header_timeout",
	"downstream.body_timeout":   "limits.body_timeout",
	"downstream.write_timeout":  "limits.write_timeout",
	"lifecycle.announce":        "drain.announce",
	"lifecycle.timeout":         "drain.timeout",
	accessLog:                   "telemetry.access_log",
	otlpSignals:                 "telemetry.otlp.signals",
	otlpProtocol:                "telemetry.otlp.protocol",
	otlpOnly:                    "", // it is what is left out
	"downstream.tls":            "tls.certificates",
	"downstream.http2":          "http2.h2c",
}

// Plan writes the proxy's configuration into the instance's directory.
func (p *proxyTarget) Plan(w Wants) (*Plan, error) {
	knobs := map[string]knob{}
	for _, places := range []map[string]string{proxyKnobs, proxyTop} {
		for name := range places {
			knobs[name] = func(v string) string { return v }
		}
	}
	fixed := map[string]string{"upstream.endpoints": strconv.Itoa(len(w.Backends)), "upstream.workers": "1", "lifecycle.drain": "true"}
	effective, texts, lacks := resolve(w.Given, fixed, knobs)
	if err := unsupported(p.name, lacks, lackingFeatures(w.Requires, proxyFeatures)); err != nil {
		return nil, err
	}
	upstream := map[string]any{"endpoints": w.Backends}
	told := tell(&w, texts)
	top := map[string]any{
		"listen": w.Listen, "admin": w.Admin,
		"drain":     map[string]any{"announce": "50ms", "timeout": "5s"},
		"telemetry": told.config,
		"upstreams": map[string]any{"backend": upstream},
		"routes":    []any{map[string]any{"path": "/", "upstream": "backend"}},
	}
	for name, v := range texts {
		if at, ok := proxyKnobs[name]; ok {
			if name == rewriteReplace {
				continue
			}
			value := scalar(v)
			if structured, ok := proxyRewrite(name, texts); ok {
				value = structured
			}
			if name == "upstream.weights" {
				list, err := weigh(w.Backends, v)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", p.name, err)
				}
				value = list
			}
			set(upstream, at, value)
			if name == "upstream.tls" {
				set(upstream, "tls.ca", w.TLS.CA)
				set(upstream, "tls.server_name", scenarios.BackendName)
			}
			for group, on := range proxyGroups {
				if strings.HasPrefix(name, group) {
					set(upstream, on.at, on.value)
				}
			}
			continue
		}
		value := scalar(v)
		at := proxyTop[name]
		switch {
		case name == "downstream.tls":
			value = []any{map[string]any{"cert": w.TLS.Cert, "key": w.TLS.Key}}
		case name == "downstream.http2" && texts["downstream.tls"] != "":
			at = "http2.enabled" // by ALPN
		}
		set(top, at, value)
	}
	config := filepath.Join(w.Dir, "proxy.yaml")
	text, err := yaml.Marshal(top)
	if err != nil {
		return nil, fmt.Errorf("%s: write its configuration: %w", p.name, err)
	}
	if err := writeFile(config, text); err != nil {
		return nil, err
	}
	plan := &Plan{
		Args:       append(append([]string{}, p.args...), "--config", config),
		Dir:        w.Dir,
		Address:    w.Listen,
		Settings:   effective,
		Ready:      Ready{URL: "http://" + w.Admin + "/healthz", Timeout: 10 * time.Second},
		Drain:      syscall.SIGTERM,
		Stop:       syscall.SIGTERM,
		Reload:     Reload{Signal: syscall.SIGHUP},
		Config:     config,
		Upgrade:    syscall.SIGUSR2,
		Grace:      15 * time.Second,
		Telemetry:  told.telemetry(),
		Prometheus: "http://" + w.Admin + "/metrics",
		AccessLog:  told.log,
		Says:       told.says(),
		Metrics:    proxyMetrics,
	}
	if told.only {
		plan.Prometheus = ""
	}
	return plan, nil
}

var proxyMetrics = map[string]Gauge{
	"pool_leased":  {Name: "gauntlet_pool_connections", Labels: map[string]string{"state": "leased"}},
	"pool_idle":    {Name: "gauntlet_pool_connections", Labels: map[string]string{"state": "idle"}},
	"pool_waiting": {Name: "gauntlet_pool_connections", Labels: map[string]string{"state": "waiting"}},
	"inflight":     {Name: "gauntlet_inflight_requests"},
	"goroutines":   {Name: "go_goroutines"},
	"generation":   {Name: "gauntlet_config_generation"},

	"spans_recorded":  {Name: "gauntlet_telemetry_recorded_total", Labels: map[string]string{"signal": "traces"}},
	"spans_exported":  {Name: "gauntlet_telemetry_exported_total", Labels: map[string]string{"signal": "traces"}},
	"spans_dropped":   {Name: "gauntlet_telemetry_dropped_total", Labels: map[string]string{"signal": "traces"}},
	"lines_dropped":   {Name: "gauntlet_telemetry_dropped_total", Labels: map[string]string{"signal": "access_log"}},
	"errors_dropped":  {Name: "gauntlet_telemetry_dropped_total", Labels: map[string]string{"signal": "error_log"}},
	"records_dropped": {Name: "gauntlet_telemetry_dropped_total", Labels: map[string]string{"signal": "logs"}},
	"records_left":    {Name: "gauntlet_telemetry_left_out_total", Labels: map[string]string{"signal": "logs"}},
	"lines_left":      {Name: "gauntlet_telemetry_left_out_total", Labels: map[string]string{"signal": "access_log"}},
	"errors_left":     {Name: "gauntlet_telemetry_left_out_total", Labels: map[string]string{"signal": "error_log"}},
}

// set puts v at a dotted place of nested maps.
func set(m map[string]any, place string, v any) {
	head, rest, nested := strings.Cut(place, ".")
	if !nested {
		m[head] = v
		return
	}
	inner, ok := m[head].(map[string]any)
	if !ok {
		inner = map[string]any{}
		m[head] = inner
	}
	set(inner, rest, v)
}

// scalar gives numbers and booleans their own type in YAML.
func scalar(v string) any {
	if n, err := strconv.Atoi(v); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(v, 64); err == nil {
		return f
	}
	if b, err := strconv.ParseBool(v); err == nil {
		return b
	}
	return v
}
