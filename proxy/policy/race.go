package policy

import (
	"context"
	"net/http"
	"sync"
	"time"

	"gauntlet/proxy/transport"
)

// race is several tries of one exchange side by side.
type race struct {
	h   *hedger
	req *http.Request
	x   *transport.Exchange // used by nobody else while the race runs

	running sync.WaitGroup // hedges under way, and the timer for the next

	mu     sync.Mutex
	lanes  []*lane // in the order in which they began
	begun  int     // hedges
	won    *lane   // whose head came first
	avoid  string  // where the latest try went
	closed bool
	timer  *time.Timer
}

// lane is one of the tries. It has an exchange of its own: an Exchange belongs
// to one goroutine.
type lane struct {
	a      *transport.Attempt
	x      transport.Exchange
	ctx    context.Context
	cancel context.CancelCauseFunc
	err    *transport.Error
	resp   *http.Response
}

// join adds a lane.
func (r *race) join(a *transport.Attempt, on1xx func(int, http.Header) error) *lane {
	l := &lane{a: a, x: transport.Exchange{Started: r.x.Started, On1xx: on1xx}}
	l.x.Chosen = func(a *transport.Attempt) {
		r.mu.Lock()
		r.avoid = a.Endpoint
		r.mu.Unlock()
	}
	ctx, cancel := context.WithCancelCause(r.req.Context())
	l.ctx, l.cancel = transport.WithAttempt(transport.WithExchange(ctx, &l.x), a), cancel
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lanes = append(r.lanes, l)
	if r.won != nil {
		cancel(transport.ErrHedgeLost)
	}
	return l
}

// try runs a lane up to its response head, and cancels the others when that is
// the first one.
func (r *race) try(l *lane) {
	req := r.req.WithContext(l.ctx)
	req.Header = r.req.Header.Clone() // each try carries a span of its own
	resp, err := r.h.next.RoundTrip(req)
	if err != nil {
		l.cancel(nil)
		l.err = transport.AsError(err)
		return
	}
	if r.win(l) {
		l.resp = resp
		l.a.OnDone(func(*transport.Attempt) { l.cancel(nil) })
		return
	}
	_ = resp.Body.Close()
	l.err = &transport.Error{Source: transport.SourceProxy, Phase: transport.PhaseHeaders, Sent: true, Endpoint: l.a.Endpoint, Err: transport.ErrHedgeLost}
}

func (r *race) win(l *lane) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.won != nil {
		return false
	}
	r.won, r.closed = l, true
	for _, other := range r.lanes {
		if other != l {
			other.cancel(transport.ErrHedgeLost)
		}
	}
	return true
}

// result is that of the race as a whole, when all have ended. The winner's
// attempts are the exchange's last.
func (r *race) result() (*http.Response, error) {
	var best result
	for _, l := range r.lanes {
		if l != r.won {
			r.x.Append(&l.x)
			best = better(best, result{err: l.err})
		}
	}
	if r.won == nil {
		return nil, best.err
	}
	r.x.Append(&r.won.x)
	return r.won.resp, nil
}
