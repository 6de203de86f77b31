package breaker

import (
	"sync/atomic"
	"time"
)

// Sliding is the standard Breaker. It trips at failures ≥ MinFailures and
// failures/total ≥ FailureRate, both counted over the latest Window in tenths.
// OpenFor later it lets probes in: at most HalfOpen at once and at most
// HalfOpen in each further stretch of OpenFor. HalfOpen successes close it, one
// failure opens it again. An ignored probe gives its place back. It takes no
// lock: each state is a value of its own, and an outcome counts only for the
// state in which its request was admitted.
type Sliding struct {
	cfg   Config
	state atomic.Pointer[phase]
}

var _ Breaker = (*Sliding)(nil)

// phase is one stay in a state.
type phase struct {
	state  State
	since  time.Time
	window *window // closed

	probes    atomic.Uint64 // half-open: period (32 bits), admitted in it (16), in flight (16)
	successes atomic.Int64  // half-open
}

// Defaults for figures that are 0.
const (
	DefaultFailureRate = 0.6
	DefaultMinFailures = 6 // more than five (requirement S0.6)
	DefaultWindow      = 10 * time.Second
	DefaultOpenFor     = 5 * time.Second
	DefaultHalfOpen    = 3
)

// New makes a closed breaker.
func New(cfg Config) *Sliding {
	if cfg.FailureRate <= 0 {
		cfg.FailureRate = DefaultFailureRate
	}
	if cfg.MinFailures <= 0 {
		cfg.MinFailures = DefaultMinFailures
	}
	if cfg.Window < buckets {
		cfg.Window = DefaultWindow
	}
	if cfg.OpenFor <= 0 {
		cfg.OpenFor = DefaultOpenFor
	}
	if cfg.HalfOpen <= 0 {
		cfg.HalfOpen = DefaultHalfOpen
	}
	cfg.HalfOpen = min(cfg.HalfOpen, 1<<16-1)
	b := &Sliding{cfg: cfg}
	b.state.Store(b.closed())
	return b
}

func (b *Sliding) closed() *phase {
	return &phase{state: Closed, since: time.Now(), window: &window{width: b.cfg.Window / buckets}}
}

// Allow implements Breaker.
func (b *Sliding) Allow() (Ticket, bool) {
	for {
		p := b.state.Load()
		switch p.state {
		case Closed:
			return Ticket{phase: p}, true
		case Open:
			if time.Since(p.since) < b.cfg.OpenFor {
				return Ticket{}, false
			}
			b.state.CompareAndSwap(p, &phase{state: HalfOpen, since: time.Now()})
		case HalfOpen:
			period, ok := p.admit(b.cfg.OpenFor, uint64(b.cfg.HalfOpen))
			return Ticket{phase: p, period: period}, ok
		}
	}
}

// Done implements Breaker.
func (b *Sliding) Done(t *Ticket, o Outcome) {
	p := t.phase
	if p == nil {
		return
	}
	first, broke := t.said == 0, t.said == uint8(Success)+1 && o == Failure
	if !first && !broke {
		return
	}
	t.said = uint8(o) + 1
	switch {
	case p.state == HalfOpen && first:
		b.probed(p, t.period, o)
	case p.state == HalfOpen: // the probe's word was its head
	case o == Failure && first:
		b.failed(p, 1)
	case o == Failure:
		b.failed(p, 0)
	case o == Success:
		p.window.add(time.Now(), 1, 0)
	}
}

func (b *Sliding) failed(p *phase, total uint64) {
	now := time.Now()
	p.window.add(now, total, 1)
	all, failures := p.window.sum(now)
	if failures >= uint64(b.cfg.MinFailures) && float64(failures) >= b.cfg.FailureRate*float64(all) {
		b.state.CompareAndSwap(p, &phase{state: Open, since: now})
	}
}

// probed counts the outcome of a probe.
func (b *Sliding) probed(p *phase, period uint64, o Outcome) {
	p.leave(period, o == Ignored)
	switch o {
	case Success:
		if p.successes.Add(1) >= int64(b.cfg.HalfOpen) {
			b.state.CompareAndSwap(p, b.closed())
		}
	case Failure:
		b.state.CompareAndSwap(p, &phase{state: Open, since: time.Now()})
	case Ignored:
	}
}

// State implements Breaker.
func (b *Sliding) State() State {
	p := b.state.Load()
	if p.state == Open && time.Since(p.since) >= b.cfg.OpenFor {
		return HalfOpen
	}
	return p.state
}

// RetryAfter implements Breaker.
func (b *Sliding) RetryAfter() time.Duration {
	switch p := b.state.Load(); p.state {
	case Open:
		return max(0, b.cfg.OpenFor-time.Since(p.since))
	case HalfOpen:
		return b.cfg.OpenFor - time.Since(p.since)%b.cfg.OpenFor
	default:
		return 0
	}
}
