package targets

import (
	"debug/buildinfo"
	"maps"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Oxy is a proxy on oxy's forwarder with Go's default transport, run by the
// program that tools/bench builds.
func Oxy(program string) Target {
	return peer{
		program: program, name: "oxy", module: "github.com/vulcand/oxy/v2",
		fixed:    map[string]string{"upstream.idle_timeout": "1m30s", "upstream.timeouts.connect": "30s", "upstream.pool.max_idle": "1024"},
		features: []string{"streaming", "full_duplex", "upgrade", "trailers", "interim", "http1.0", "recovery", "pool", "expect"},
	}
}

// FastHTTP is a proxy on fasthttp's server and client, run by the same program.
// It holds bodies whole, both ways.
func FastHTTP(program string) Target {
	return peer{
		program: program, name: "fasthttp", module: "github.com/valyala/fasthttp",
		fixed:    map[string]string{"upstream.idle_timeout": "1m0s", "upstream.timeouts.connect": "3s", "upstream.pool.max_connections": "1024"},
		features: []string{"http1.0", "recovery", "pool"},
	}
}

// A peer is one of the proxies of tools/bench. It has no settings.
type peer struct {
	program, name, module string
	fixed                 map[string]string
	features              []string
}

func (p peer) Name() string { return p.name }

// Version is that of the library, "" where the program was not built.
func (p peer) Version() string {
	info, err := buildinfo.ReadFile(p.program)
	if err != nil {
		return ""
	}
	for _, d := range info.Deps {
		if d.Path == p.module {
			return strings.TrimSpace(p.name + " " + d.Version + " (" + info.GoVersion + ")")
		}
	}
	return ""
}

func (p peer) Plan(w Wants) (*Plan, error) {
	fixed := map[string]string{"upstream.endpoints": "1", "upstream.workers": "1", "upstream.retries": "0"}
	maps.Copy(fixed, p.fixed)
	effective, _, lacks := resolve(w.Given, fixed, nil)
	if len(w.Backends) > 1 {
		lacks = append(lacks, "setting upstream.endpoints = "+strconv.Itoa(len(w.Backends)))
	}
	if err := unsupported(p.name, lacks, lackingFeatures(w.Requires, p.features)); err != nil {
		return nil, err
	}
	return &Plan{
		Args:     []string{p.program, "-listen", w.Listen, "-backend", w.Backends[0], p.name},
		Dir:      w.Dir,
		Address:  w.Listen,
		Settings: effective,
		Ready:    Ready{Timeout: 10 * time.Second},
		Stop:     syscall.SIGTERM,
		Grace:    5 * time.Second,
	}, nil
}
