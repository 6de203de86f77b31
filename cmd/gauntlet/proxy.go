package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

type proxyCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"path" short:"c"`
}

// Help shows an example.
func (proxyCmd) Help() string {
	return `SIGTERM, SIGINT and SIGQUIT stop it gracefully: it announces "Connection: close" while still accepting, then finishes, then closes. A second signal cuts what is left.

Example:

  $ cat proxy.yaml
  listen: 127.0.0.1:8080
  admin: 127.0.0.1:9090
  upstreams:
    api: {endpoints: [127.0.0.1:9001, 127.0.0.1:9002]}
  routes:
    - {path: /, upstream: api}
  $ gauntlet proxy --config proxy.yaml`
}

// Run serves until it is told to stop.
func (c proxyCmd) Run(ctx context.Context, w *world) error {
	return serveProxy(ctx, w, c.Config, proxy.Parts{})
}

// ballast is how much the garbage collector is made to believe is in use: it
// runs when the heap has doubled, and that of a proxy is so small that it would
// run every few hundred requests. Nobody touches the ballast, so it takes
// address space and no memory; what it costs is as much garbage again.
const ballast = 16 << 20

// serveProxy runs the reference proxy with these parts.
func serveProxy(ctx context.Context, w *world, path string, parts proxy.Parts) error {
	weight := make([]byte, ballast)
	defer runtime.KeepAlive(weight)
	cfg, err := config.Load(path)
	if err != nil {
		return usage(err)
	}
	parts.Log = slog.New(slog.NewJSONHandler(w.Stderr, nil))
	parts.Stdout = w.Stdout
	p, err := proxy.New(cfg, parts)
	if err != nil {
		return err
	}
	if err := p.Listen(); err != nil {
		return errors.Join(err, p.Close())
	}
	if _, err := fmt.Fprintf(w.Stderr, "proxy listens on %s\n", p.Addr()); err != nil {
		return errors.Join(err, p.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer onSignals(cancel, p.Cut)()
	return p.Serve(ctx)
}

// onSignals calls first at the first signal that asks for an end and
// then at each later one, until the function it returns is called.
func onSignals(first, then func()) (stop func()) {
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	var wg sync.WaitGroup
	wg.Go(func() {
		for act := first; ; act = then {
			select {
			case <-signals:
				act()
			case <-done:
				return
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(done)
		wg.Wait()
	}
}
