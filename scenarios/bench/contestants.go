package bench

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"gauntlet/scenarios/targets"
)

// A Contestant is a proxy to measure.
type Contestant struct {
	Name    string
	Version string
	Note    string            // what it does beside forwarding
	Given   map[string]string // settings, in the words of scenarios
	Exports bool              // spans go to the sink
	// Collector is how the sink treats it: "" answers, CollectorSlow takes
	// everything and never answers, CollectorDown is not there.
	Collector string
	// Named contestants are measured only when they are named.
	Named bool
	Plan  func(targets.Wants) (*targets.Plan, error)
}

// The collectors that are in trouble.
const (
	CollectorSlow = "slow"
	CollectorDown = "down"
)

// Contestants are those that can be had here: program is the gauntlet binary,
// peers the one that tools/bench builds, "" for none.
func Contestants(program, peers string) []Contestant {
	pool := map[string]string{"upstream.pool.max_connections": "1024", "upstream.pool.max_idle": "1024"}
	off := map[string]string{"upstream.pool.max_connections": "1024", "upstream.pool.max_idle": "1024", "telemetry.access_log": "off"}
	reference, version := targets.Reference(program), targets.Reference(program).Version()
	all := []Contestant{
		{Name: "httputil", Version: version, Note: "httputil.ReverseProxy, keeping 1024 idle connections", Plan: planHttputil(program)},
		{Name: "reference", Version: version, Note: "no spans, no access log", Given: off, Plan: reference.Plan},
		{Name: "reference-full", Version: version, Note: "every trace sampled and exported, metrics, access log to a file", Given: pool, Exports: true, Plan: reference.Plan},
	}
	for _, trouble := range []string{CollectorSlow, CollectorDown} {
		all = append(all, Contestant{
			Name: "reference-collector-" + trouble, Version: version, Note: "as reference-full, with a collector that is " + trouble,
			Given: pool, Exports: true, Collector: trouble, Named: true, Plan: reference.Plan,
		})
	}
	if peers != "" {
		all = append(all,
			Contestant{Name: "httputil-otel", Note: "httputil under otelhttp, every trace sampled and exported", Exports: true, Plan: planPeer(peers, "httputil-otel")},
			Contestant{Name: "fasthttp", Note: "fasthttp server and client; buffers whole bodies", Plan: planPeer(peers, "fasthttp")},
			Contestant{Name: "oxy", Note: "oxy/v2 forwarder", Plan: planPeer(peers, "oxy")})
	}
	for _, c := range []Contestant{
		{Name: "nginx", Version: targets.Nginx().Version(), Note: "one worker, unbuffered, access log to a file", Given: map[string]string{"upstream.pool.max_idle": "1024"}, Plan: targets.Nginx().Plan},
		{Name: "haproxy", Version: targets.HAProxy().Version(), Note: "one thread, no log", Given: map[string]string{"upstream.pool.max_idle": "1024"}, Plan: targets.HAProxy().Plan},
		{Name: "caddy", Version: targets.ProgramVersion("caddy", "version"), Note: "no access log", Plan: planCaddy},
	} {
		if c.Version != "" {
			all = append(all, c)
		}
	}
	return all
}

func planHttputil(program string) func(targets.Wants) (*targets.Plan, error) {
	return func(w targets.Wants) (*targets.Plan, error) {
		plan, err := targets.Httputil(program).Plan(w)
		if err == nil {
			plan.Args = append(plan.Args, "--keep", "1024")
		}
		return plan, err
	}
}

// planPeer runs one of the proxies that tools/bench holds.
func planPeer(peers, name string) func(targets.Wants) (*targets.Plan, error) {
	return func(w targets.Wants) (*targets.Plan, error) {
		return &targets.Plan{
			Args: []string{peers, "-listen", w.Listen, "-backend", w.Backends[0], "-otlp", w.OTLP, name},
			Dir:  w.Dir, Address: w.Listen, Stop: syscall.SIGTERM,
		}, nil
	}
}

func planCaddy(w targets.Wants) (*targets.Plan, error) {
	path := filepath.Join(w.Dir, "Caddyfile")
	host, port, err := net.SplitHostPort(w.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	text := fmt.Sprintf(`{
	admin off
	auto_https off
}
http://:%s {
	bind %s
	reverse_proxy %s {
		transport http {
			keepalive_idle_conns_per_host 1024
		}
	}
}
`, port, host, w.Backends[0])
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	return &targets.Plan{
		Args: []string{"caddy", "run", "--adapter", "caddyfile", "--config", path},
		Env:  []string{"XDG_DATA_HOME=" + w.Dir, "XDG_CONFIG_HOME=" + w.Dir, "HOME=" + w.Dir},
		Dir:  w.Dir, Address: w.Listen, Stop: syscall.SIGTERM,
	}, nil
}
