package targets

import (
	"strconv"
	"syscall"
	"time"
)

// Httputil is the plain httputil.ReverseProxy of the Go standard library with
// its default transport, run by the gauntlet binary at program: the baseline
// that shows what a proxy loses when nobody has thought about it.
func Httputil(program string) Target { return httputilTarget{program: program} }

type httputilTarget struct{ program string }

func (h httputilTarget) Name() string { return "httputil" }

func (h httputilTarget) Version() string { return firstLine(h.program, "version") }

func (h httputilTarget) Plan(w Wants) (*Plan, error) {
	fixed := map[string]string{"upstream.endpoints": "1", "upstream.retries": "0", "upstream.workers": "1", "upstream.idle_timeout": "1m30s", "upstream.timeouts.connect": "30s"}
	effective, _, lacks := resolve(w.Given, fixed, nil)
	if len(w.Backends) > 1 {
		lacks = append(lacks, "setting upstream.endpoints = "+strconv.Itoa(len(w.Backends)))
	}
	features := []string{"streaming", "full_duplex", "upgrade", "trailers", "interim", "http1.0", "recovery", "pool", "expect"}
	if err := unsupported(h.Name(), lacks, lackingFeatures(w.Requires, features)); err != nil {
		return nil, err
	}
	return &Plan{
		Args:     []string{h.program, "dev", "httputil", "--listen", w.Listen, "--backend", w.Backends[0]},
		Dir:      w.Dir,
		Address:  w.Listen,
		Settings: effective,
		Ready:    Ready{Timeout: 10 * time.Second},
		Drain:    syscall.SIGTERM,
		Stop:     syscall.SIGTERM,
		Grace:    5 * time.Second,
	}, nil
}
