package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/reload"
)

type proxyCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"path" short:"c"`
	Watch  bool   `help:"Read the file again by itself whenever it has changed."`
}

// Help shows an example.
func (proxyCmd) Help() string {
	return `SIGTERM, SIGINT and SIGQUIT stop it gracefully: it announces "Connection: close" while still accepting, then finishes, then closes. A second signal cuts what is left.

SIGHUP, POST /reload on the admin listener and, with --watch, every change of the file read it again: routes, upstreams, drain and limits.body_timeout change while exchanges under way end as they began and no connection is touched. A file that is refused changes nothing; the log says why.

SIGUSR2 and POST /upgrade start the program that is now at its path, with the same arguments and the same listening sockets. When that one serves, this one finishes what is under way and ends; when it does not within 30 s, this one goes on.

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
	return serveProxy(ctx, w, c, proxy.Parts{}, nil)
}

// The garbage collector runs when the heap has grown by half: with tens of
// thousands of clients connected, which is when a heap is large, nearly all of
// it is their buffers, and to let it double would double what each costs. The
// heap without them is so small that the collector would run every few hundred
// requests, so it is made to believe in more. Nobody touches the ballast: it
// takes address space and no memory, and costs half as much garbage again.
const (
	growth  = 50 // percent
	ballast = 32 << 20
)

// A source reads a configuration; see mutants.Mutant.
type source = func() (*config.Config, error)

// serveProxy runs the reference proxy with these parts; sourced, unless it is
// nil, gives what reads the configuration.
func serveProxy(ctx context.Context, w *world, c proxyCmd, parts proxy.Parts, sourced func(source) source) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
	weight := make([]byte, ballast)
	defer runtime.KeepAlive(weight)
	file := reload.NewFile(c.Config)
	load := file.Load
	if sourced != nil {
		load = sourced(load)
	}
	cfg, err := load()
	if err != nil {
		return usage(err)
	}
	parts.Log = slog.New(slog.NewJSONHandler(w.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})) // telemetry.log.level decides
	parts.Stdout = w.Stdout
	if parts.Source == nil {
		parts.Source = load
	}
	parts.Successor = successor(w, parts.Log)
	if err := inherit(&parts); err != nil {
		return err
	}
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
	defer changing(ctx, p, file, c.Watch)()
	return p.Serve(ctx)
}

// changing reloads p at SIGHUP and, when asked to watch, when its file has
// changed, and upgrades it at SIGUSR2, until the function it returns is called.
// What comes of it is in the proxy's own log.
func changing(ctx context.Context, p *proxy.Proxy, file *reload.File, watch bool) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1) // one that waits stands for all that come meanwhile
	upgrades := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	signal.Notify(upgrades, syscall.SIGUSR2)
	reread := func() { _, _ = p.Reread() }
	var wg sync.WaitGroup
	at := func(signals <-chan os.Signal, act func()) {
		wg.Go(func() {
			for {
				select {
				case <-signals:
					act()
				case <-ctx.Done():
					return
				}
			}
		})
	}
	at(signals, reread)
	at(upgrades, func() { _ = p.Upgrade(ctx) })
	if watch {
		wg.Go(func() { file.Watch(ctx, reload.Every, reread) })
	}
	return func() {
		signal.Stop(signals)
		signal.Stop(upgrades)
		cancel()
		wg.Wait()
	}
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
