package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

type proxyCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"path" short:"c"`
}

// Help shows an example.
func (proxyCmd) Help() string {
	return `SIGTERM, SIGINT and SIGQUIT stop it gracefully: it announces "Connection: close" while still accepting, then finishes, then closes. A second SIGTERM or SIGINT ends it at once.

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

// serveProxy runs the reference proxy with these parts.
func serveProxy(ctx context.Context, w *world, path string, parts proxy.Parts) error {
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
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGQUIT)
	defer stop()
	return p.Serve(ctx)
}
