package upstream

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream/breaker"
)

// trial is one try as those see it who count: breaker, ejection, balancing. A
// nil trial is one that nobody counts.
type trial struct {
	u       *Upstream
	e       *endpoint
	ticket  breaker.Ticket
	req     *http.Request
	started time.Time
	failed  bool // by its head
}

// begin starts the trial of a try on e.
func (u *Upstream) begin(e *endpoint, ticket breaker.Ticket, req *http.Request) *trial {
	counts := u.policy.Counts()
	if e.breaker == nil && e.strikes == nil && u.marker == nil && !counts {
		return nil
	}
	if counts {
		e.node.Begin()
	}
	t := &trial{u: u, e: e, ticket: ticket, req: req}
	if e.strikes != nil {
		t.started = time.Now()
	}
	return t
}

// head takes what RoundTrip gave. A probe's place is freed by the head, since
// a stream may go on for hours; a body that breaks later still counts as a
// failure. Success in a row is of whole responses.
func (t *trial) head(a *transport.Attempt, resp *http.Response, err error) {
	if t == nil {
		return
	}
	if err != nil {
		t.count(errorOutcome(err))
		t.strike(err)
		t.end()
		return
	}
	outcome := responseOutcome(resp)
	t.count(outcome)
	if t.failed = outcome == breaker.Failure; t.failed {
		t.strike(nil)
	}
	if t.u.marker != nil {
		t.u.marker.Mark(t.req, t.e.node, resp.Header)
	}
	a.OnDone(t.done)
}

// done is called when the response's body has ended.
func (t *trial) done(a *transport.Attempt) {
	switch {
	case a.Err != nil:
		if errorOutcome(a.Err) == breaker.Failure {
			t.count(breaker.Failure)
			if !t.failed {
				t.strike(a.Err)
			}
		}
	case !t.failed && t.e.strikes != nil:
		t.e.strikes.Success()
	}
	t.end()
}

func (t *trial) count(o breaker.Outcome) {
	b := t.e.breaker
	if b == nil {
		return
	}
	was := b.State()
	b.Done(&t.ticket, o)
	if o == breaker.Failure && was != breaker.Open && b.State() == breaker.Open {
		t.u.event(t.req.Context(), "breaker.opened", slog.String("upstream", t.u.cfg.Name), slog.String("endpoint", t.e.addr))
	}
}

func (t *trial) end() {
	if t.u.policy.Counts() {
		t.e.node.End()
	}
}

// strike counts a failure towards ejection: a bad status when err is nil, or
// what the upstream did. A timeout counts only when there was time enough: a
// short limit of ours says little of the endpoint (requirement S0.7).
func (t *trial) strike(err error) {
	if t.e.strikes == nil || err != nil && errorOutcome(err) != breaker.Failure {
		return
	}
	if e, ok := errors.AsType[*transport.Error](err); ok && e.Timeout && time.Since(t.started) < t.u.cfg.Ejection.Slow {
		return
	}
	if t.e.strikes.Failure() && t.u.eject(t.e) {
		t.u.event(t.req.Context(), "endpoint.ejected", slog.String("upstream", t.u.cfg.Name), slog.String("endpoint", t.e.addr))
	}
}
