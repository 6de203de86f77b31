// Package proxy is the reference proxy: an HTTP/1.1 reverse proxy that loses
// no request a proxy can keep and tells the truth about the others. New builds
// one from a configuration, Serve runs it until its context ends and then
// stops gracefully.
//
// This package assembles: listener → edge layers → router → forwarding → the
// upstream's policies and transport, and streams the answer back. How each
// part works stands in its own package; what errors mean to a client stands in
// errors.go alone. Parts lets a program replace any part from outside.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gauntlet/proxy/config"
	"gauntlet/proxy/edge/certs"
	"gauntlet/proxy/edge/clientconn"
	"gauntlet/proxy/edge/greet"
	"gauntlet/proxy/pipe"
	"gauntlet/proxy/telemetry"
)

// linger is how long a connection closed politely waits for its client.
const linger = time.Second

// Proxy is one reference proxy.
type Proxy struct {
	cfg     *config.Config // as at the start; what may change is in current
	parts   Parts
	log     *slog.Logger
	tel     *telemetry.Telemetry
	logFile io.Closer
	clients *clientconn.Set
	pipes   *pipe.Pool
	certs   *certs.Store // nil without TLS
	steps   []Step

	reloading sync.Mutex // held by who builds a generation
	current   atomic.Pointer[generation]
	members   members
	scopes    atomic.Int64 // that have not ended
	news      atomic.Pointer[news]

	server, h2, admin *http.Server    // h2 serves HTTP/2 only
	greet             *greet.Greeter  // nil when there is nothing to find out about clients
	base              context.Context // of every request; ends at the hard stop
	cut               context.CancelFunc
	stopping          atomic.Bool
	inflight          atomic.Int64
	handlers          sync.WaitGroup

	upgrading sync.Mutex      // held by who does it, and for good by the stop
	ending    context.Context // ends when the stop begins
	end       context.CancelFunc
	succeeded chan struct{} // closed by an upgrade

	mu        sync.Mutex
	opened    []opened
	listener  *clientconn.Listener
	adminLn   net.Listener
	closeOnce sync.Once
}

// New builds a proxy from cfg, which it validates. It opens the access log and
// begins to check and to dial upstreams that ask for it (health, pool.min_idle),
// but listens nowhere. Serve, or Close when Serve is not called, releases what it holds.
func New(cfg *config.Config, parts Parts) (*Proxy, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.Clone()
	p := &Proxy{cfg: cfg, parts: parts, log: parts.Log, clients: clientconn.NewSet(linger, cfg.Limits.WriteTimeout), pipes: pipe.NewPool(pipes)}
	p.news.Store(&news{ok: true, when: time.Now()})
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if parts.Logs != nil {
		p.log = slog.New(parts.Logs(p.log.Handler()))
	}
	p.base, p.cut = context.WithCancel(context.Background())
	p.ending, p.end = context.WithCancel(p.base)
	p.succeeded = make(chan struct{})
	if err := p.build(parts); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Proxy) build(parts Parts) error {
	out, err := p.accessLog(parts.Stdout)
	if err != nil {
		return err
	}
	roots, problems := authorities("telemetry.otlp.ca", p.cfg.Telemetry.OTLP.CA)
	if len(problems) > 0 {
		return &config.Error{Problems: problems}
	}
	p.tel, err = telemetry.New(p.base, p.telemetry(out, roots))
	if err != nil {
		return fmt.Errorf("proxy telemetry: %w", err)
	}
	p.log = p.tel.Logger(p.log.Handler())
	p.reloading.Lock()
	first, err := p.generate(p.cfg, nil)
	p.reloading.Unlock()
	if err != nil {
		return err
	}
	p.current.Store(first)
	p.tel.WatchPools(p.poolStates)
	p.tel.WatchLimits(p.limitStates)
	p.tel.WatchConfig(p.configState)
	p.tel.WatchClients(func() telemetry.ClientState {
		return telemetry.ClientState{Open: p.clients.Len(), Busy: p.clients.Busy()}
	})
	if err := p.loadCertificates(); err != nil {
		return err
	}
	p.buildServers(p.handler(parts))
	p.steps = p.drainSteps()
	if parts.Drain != nil {
		p.steps = parts.Drain(p.steps)
	}
	return nil
}

// accessLog opens what the configuration names; nil is no log.
func (p *Proxy) accessLog(stdout io.Writer) (io.Writer, error) {
	switch name := p.cfg.Telemetry.AccessLog; name {
	case "off":
		return nil, nil
	case "stdout":
		if stdout == nil {
			return os.Stdout, nil
		}
		return stdout, nil
	default:
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("proxy access log: %w", err)
		}
		p.logFile = f
		return f, nil
	}
}

// flushFor bounds the export of what telemetry still holds at the end.
const flushFor = 5 * time.Second

// Close releases what New took. Serve calls it; it may be called again.
func (p *Proxy) Close() error {
	var err error
	p.closeOnce.Do(func() {
		p.cut()
		p.reloading.Lock() // one that is under way must not leave anything behind
		err = errors.Join(p.members.close()...)
		p.reloading.Unlock()
		p.mu.Lock()
		if p.listener != nil {
			_ = p.listener.Close() // Serve has closed it already, as a rule
		}
		if p.adminLn != nil {
			_ = p.adminLn.Close()
		}
		p.forgo()
		p.mu.Unlock()
		p.pipes.Close()
		if p.tel != nil {
			ctx, cancel := context.WithTimeout(context.Background(), flushFor)
			defer cancel()
			err = errors.Join(err, p.tel.Close(ctx))
		}
		if p.logFile != nil {
			err = errors.Join(err, p.logFile.Close())
		}
	})
	return err
}
