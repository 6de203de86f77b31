package transport

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Pool holds the connections to one endpoint. Every live connection and every
// dial holds one slot; a slot is free, or with an idle connection, or with
// exactly one exchange, which gives it back by checkin or discard.
type Pool struct {
	cfg    Config
	tls    *tls.Config
	mux    *mux    // HTTP/2; nil: never
	warm   *warmer // nil: no connection is opened before it is needed
	names  *names  // nil: there is no name, or each dial looks it up
	ids    atomic.Uint64
	blocks sync.Pool // *[]byte for uploads
	heads  sync.Pool // *[]byte for request heads

	mu      sync.Mutex
	closed  bool
	slots   int     // in use
	idle    []*conn // oldest first; not empty only while nobody waits
	waiting list.List
	dialing int
	dialed  uint64
	janitor *time.Timer
	sweepAt time.Time // when the janitor wakes, zero: it does not
}

const (
	defaultMaxHeaderBytes = 1 << 20
	defaultMaxWaiting     = 1 << 14
)

// New makes a pool, empty unless MinIdle fills it. The caller closes it.
func New(cfg Config) *Pool {
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	if cfg.MaxHeaderBytes <= 0 {
		cfg.MaxHeaderBytes = defaultMaxHeaderBytes
	}
	if cfg.MaxWaiting <= 0 {
		cfg.MaxWaiting = defaultMaxWaiting
	}
	p := &Pool{cfg: cfg}
	if cfg.TLS != nil {
		p.tls = cfg.TLS.Clone()
		p.tls.NextProtos = []string{"http/1.1"}
		if p.tls.ServerName == "" {
			p.tls.ServerName, _, _ = net.SplitHostPort(cfg.Endpoint)
		}
		if p.tls.ClientSessionCache == nil {
			p.tls.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		}
	}
	if cfg.Protocol == HTTP2 || (cfg.Protocol == Auto && cfg.TLS != nil) {
		p.mux = newMux(p)
	}
	if p.names = newNames(p); p.names != nil {
		go p.names.run()
	}
	if p.cfg.MinIdle = cfg.minIdle(); p.cfg.MinIdle > 0 {
		p.warm = newWarmer(p)
		go p.warm.run()
	}
	return p
}

var _ RoundTripper = (*Pool)(nil)

// RoundTrip makes one attempt; see RoundTripper.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	a := AttemptFrom(req.Context())
	if a == nil {
		a = &Attempt{Number: 1}
	}
	a.take(p.cfg.Endpoint)
	if p.mux != nil && !p.mux.http1.Load() {
		if resp, err, served := p.mux.roundTrip(req, a); served {
			return resp, err
		}
	}
	t := &trip{p: p, req: req, a: a}
	resp, err := t.run()
	if err != nil {
		return nil, err // not a typed nil
	}
	return resp, nil
}

// Stats implements RoundTripper.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	s := Stats{
		Idle:    len(p.idle),
		Leased:  p.slots - len(p.idle) - p.dialing,
		Waiting: p.waiting.Len(),
		Dialing: p.dialing,
		Dialed:  p.dialed,
	}
	p.mu.Unlock()
	if p.mux != nil {
		p.mux.stats(&s)
	}
	return s
}

// Purge implements RoundTripper.
func (p *Pool) Purge() {
	if p.warm != nil {
		p.warm.pause()
	}
	p.purge(time.Now())
	if p.mux != nil {
		p.mux.purge()
	}
}

// purge closes connections that have been idle since t or longer.
func (p *Pool) purge(t time.Time) {
	p.mu.Lock()
	n := 0
	for n < len(p.idle) && !p.idle[n].idleSince.After(t) {
		n++
	}
	old := p.dropOldest(n)
	p.mu.Unlock()
	closeAll(old)
}

// Close implements RoundTripper. Those who wait get ErrPoolClosed, and no
// connection is opened any more.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	old := p.dropOldest(len(p.idle))
	for e := p.waiting.Front(); e != nil; e = p.waiting.Front() {
		p.waiting.Remove(e).(*waiter).grant <- grant{closed: true}
	}
	if p.janitor != nil {
		p.janitor.Stop()
	}
	p.mu.Unlock()
	closeAll(old)
	if p.warm != nil {
		p.warm.stop()
	}
	if p.names != nil {
		p.names.stop()
	}
	if p.mux != nil {
		p.mux.close()
	}
	if p.warm != nil {
		<-p.warm.done
	}
	if p.names != nil {
		<-p.names.done
	}
	return nil
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		c.close()
	}
}

// lease gives a connection to an attempt: an idle one that is still alive, or
// a new one.
func (p *Pool) lease(ctx context.Context, a *Attempt) (*conn, *Error) {
	started := time.Now()
	c, err := p.acquire(ctx, a.Fresh)
	a.Queue = time.Since(started)
	if err != nil {
		return nil, err
	}
	for c != nil && !c.alive() {
		c.close()
		c = p.another() // the slot stays ours
	}
	if c != nil {
		a.ConnID, a.Reused, a.IdleAge = c.id, true, time.Since(c.idleSince)
		return c, nil
	}
	p.mu.Lock()
	p.dialing++
	p.mu.Unlock()
	c, err = p.dial(ctx, a, p.tls)
	p.mu.Lock()
	p.dialing--
	if err == nil {
		p.dialed++
	}
	p.mu.Unlock()
	if err != nil {
		p.release()
		return nil, err
	}
	a.ConnID = c.id
	return c, nil
}
