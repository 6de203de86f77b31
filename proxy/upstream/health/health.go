// Package health asks endpoints, at intervals and on connections of its own,
// whether they are well. It says when the answer changes; what follows from
// that is the upstream's business.
package health

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Check asks one endpoint (host:port) once. Nil: it is well. It must end when
// ctx does.
type Check func(ctx context.Context, endpoint string) error

// Config describes the probes of one upstream.
type Config struct {
	Check     Check
	Interval  time.Duration // from the end of a probe to the next; 0: 10 s
	Timeout   time.Duration // of one probe; 0: 2 s
	Unhealthy int           // failures in a row that make an endpoint unhealthy; 0: 3
	Healthy   int           // successes in a row that make it healthy again; 0: 2
	// Random gives numbers in [0,1) for the first probe; nil: math/rand/v2.
	Random func() float64
}

// Network is how checks reach an endpoint.
type Network struct {
	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // nil: a net.Dialer
	TLS  *tls.Config                                                       // nil: plain
	// Protocols are those an HTTP check may speak; nil: HTTP/1.1.
	Protocols *http.Protocols
}

// Prober probes one endpoint until it is closed.
type Prober struct {
	cfg      Config
	endpoint string
	changed  func(healthy bool, cause error)
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// Start begins to probe. An endpoint that is presumed healthy loses that by
// Unhealthy failures; its first probe comes after a random part of the
// interval, so that many proxies and endpoints do not probe in step. One that
// is not is probed at once and must pass one probe: nothing has yet been heard
// of it, so there is nothing to recover from (traefik/traefik#4544).
//
// Changed is called from one goroutine, with the last failure when the
// endpoint became unhealthy. The caller closes the Prober.
func Start(cfg Config, endpoint string, presumed bool, changed func(healthy bool, cause error)) *Prober {
	cfg = cfg.filled()
	ctx, cancel := context.WithCancel(context.Background())
	p := &Prober{cfg: cfg, endpoint: endpoint, changed: changed, cancel: cancel}
	p.running.Go(func() { p.run(ctx, presumed) })
	return p
}

func (c Config) filled() Config {
	if c.Interval <= 0 {
		c.Interval = 10 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 2 * time.Second
	}
	if c.Unhealthy <= 0 {
		c.Unhealthy = 3
	}
	if c.Healthy <= 0 {
		c.Healthy = 2
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	return c
}

// Close ends a probe that is running and waits for it. It must not be called
// from changed.
func (p *Prober) Close() {
	p.cancel()
	p.running.Wait()
}

func (p *Prober) run(ctx context.Context, healthy bool) {
	row, needed := 0, 1
	wait := time.Duration(0)
	if healthy {
		wait = time.Duration(p.cfg.Random() * float64(p.cfg.Interval))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		err := p.probe(ctx)
		if ctx.Err() != nil {
			return
		}
		// A row is of answers that speak against the present state.
		switch {
		case (err == nil) == healthy:
			row = 0
		case healthy:
			if row++; row >= p.cfg.Unhealthy {
				healthy, row, needed = false, 0, p.cfg.Healthy
				p.changed(false, err)
			}
		default:
			if row++; row >= needed {
				healthy, row = true, 0
				p.changed(true, nil)
			}
		}
		timer.Reset(p.cfg.Interval)
	}
}

func (p *Prober) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	return p.cfg.Check(ctx, p.endpoint)
}
