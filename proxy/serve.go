package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"gauntlet/proxy/edge/clientconn"
	"gauntlet/proxy/edge/greet"
)

// buildServers prepares the two HTTP servers. Shutdown and
// SetKeepAlivesEnabled are never called on the client side's: both close idle
// connections at once, under the hands of clients who are about to use them
// (golang/go#65802).
func (p *Proxy) buildServers(handler http.Handler) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	log := slog.NewLogLogger(p.log.Handler(), slog.LevelWarn)
	p.server = &http.Server{
		Handler:                      handler,
		DisableGeneralOptionsHandler: true, // OPTIONS * is for the upstream
		ReadHeaderTimeout:            p.cfg.Limits.HeaderTimeout,
		IdleTimeout:                  p.cfg.Limits.IdleTimeout,
		MaxHeaderBytes:               int(p.cfg.Limits.HeaderBytes),
		Protocols:                    protocols,
		ErrorLog:                     log,
		BaseContext:                  func(net.Listener) context.Context { return p.base },
		ConnContext:                  clientconn.NewContext,
		ConnState:                    p.clients.State,
	}
	p.buildHTTP2(handler)
	p.admin = &http.Server{Handler: p.adminHandler(), ReadHeaderTimeout: p.cfg.Limits.HeaderTimeout, ErrorLog: log}
}

// Listen opens the sockets; Serve does it when nobody has. Afterwards Addr and
// AdminAddr are known.
func (p *Proxy) Listen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		return nil
	}
	defer p.forgo()
	ln, err := p.open("listen", p.cfg.Listen)
	if err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	if p.cfg.Admin != "off" {
		if p.adminLn, err = p.open("admin", p.cfg.Admin); err != nil {
			return errors.Join(fmt.Errorf("proxy admin: %w", err), ln.Close())
		}
	}
	if p.parts.Listener != nil {
		ln = p.parts.Listener(ln)
	}
	p.listener = p.clients.Listen(ln)
	if cfg := p.greeting(); cfg != nil {
		p.greet = greet.New(*cfg, ln.Addr())
	}
	return nil
}

// Addr is where clients connect, nil before Listen.
func (p *Proxy) Addr() net.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return nil
	}
	return p.listener.Addr()
}

// AdminAddr is where /metrics is, nil before Listen or when it is off.
func (p *Proxy) AdminAddr() net.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.adminLn == nil {
		return nil
	}
	return p.adminLn.Addr()
}

// Serve serves until ctx ends, or until Upgrade has found a successor, and then
// stops gracefully, which takes at most drain.timeout; Cut shortens that. It returns nil after a stop that was asked
// for, also one that had to cut connections, and an error when it could not
// listen or its listener failed. It closes the proxy.
func (p *Proxy) Serve(ctx context.Context) error {
	if err := p.Listen(); err != nil {
		return errors.Join(err, p.Close())
	}
	var servers sync.WaitGroup
	failed := make(chan error, 4)
	run := func(serve func() error, ln net.Listener) {
		servers.Go(func() {
			if err := serve(); !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("proxy listener %s: %w", ln.Addr(), err)
			}
		})
	}
	if g := p.greet; g == nil {
		run(func() error { return p.server.Serve(p.listener) }, p.listener)
	} else {
		run(func() error { return g.Serve(p.listener) }, p.listener)
		run(func() error { return p.server.Serve(g.HTTP1()) }, p.listener)
		run(func() error { return p.h2.Serve(g.HTTP2()) }, p.listener)
	}
	if p.adminLn != nil {
		run(func() error { return p.admin.Serve(p.adminLn) }, p.adminLn)
	}
	if p.certs != nil {
		servers.Go(func() { p.watchCertificates(p.ending) })
	}
	if p.parts.Ready != nil {
		p.parts.Ready()
	}
	var err error
	select {
	case <-ctx.Done():
	case <-p.succeeded:
	case err = <-failed:
	}
	p.end()            // gives up an upgrade that has not succeeded
	p.upgrading.Lock() // and there will be no other
	p.drain()
	p.settle()
	_ = p.server.Close()
	_ = p.h2.Close()
	p.closeAdmin()
	servers.Wait()
	return errors.Join(err, p.Close())
}

// closeAdmin lets an operator's answer go out, such as that of an upgrade.
func (p *Proxy) closeAdmin() {
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	_ = p.admin.Shutdown(ctx)
	_ = p.admin.Close()
}

// Cut ends a graceful stop at once: connections are closed whatever they are
// doing. Before Serve's context has ended it has no effect but that.
func (p *Proxy) Cut() { p.cut() }
