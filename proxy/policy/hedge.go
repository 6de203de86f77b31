package policy

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"gauntlet/proxy/transport"
)

const reasonHedge = "hedge"

// hedger makes a further try beside one that has brought no head for a while,
// on another endpoint where there is one. The first head wins; the losers are
// cancelled and waited for before it is given.
//
// Only what may run twice and costs nothing to send is hedged: a method that is
// idempotent by definition (a key in the header makes a repetition safe, not a
// race), without a body and without an upgrade. Each hedge takes from the
// budget of the retries. The attempts of an exchange are at most
// 1 + max(1, retries) + hedges.
type hedger struct {
	cfg    Hedge
	retry  Retry // filled
	budget *budget
	next   http.RoundTripper
}

func (h *hedger) RoundTrip(req *http.Request) (*http.Response, error) {
	x, a := transport.ExchangeFrom(req.Context()), transport.AttemptFrom(req.Context())
	if x == nil || a == nil || !hedgeable(req) || x.Hedges >= h.cfg.Max || h.retry.Endpoints() < 2 {
		return h.next.RoundTrip(req)
	}
	r := &race{h: h, req: req, x: x}
	return r.run(a)
}

func hedgeable(req *http.Request) bool {
	return idempotentMethod(req.Method) && (req.Body == nil || req.Body == http.NoBody) && len(req.Header["Upgrade"]) == 0
}

// run makes the first try on the caller's goroutine. When it is over no
// further one begins: if it has failed, those under way may still win.
func (r *race) run(a *transport.Attempt) (*http.Response, error) {
	first := r.join(a, r.x.On1xx)
	r.mu.Lock()
	r.schedule()
	r.mu.Unlock()
	r.try(first)
	r.close()
	r.running.Wait()
	return r.result()
}

// schedule has a hedge begin later. The caller holds mu.
func (r *race) schedule() {
	r.running.Add(1)
	r.timer = time.AfterFunc(r.h.cfg.After, r.hedge)
}

// close keeps further hedges from beginning.
func (r *race) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.timer.Stop() {
		r.running.Done()
	}
}

// hedge runs on a goroutine of its own.
func (r *race) hedge() {
	defer r.running.Done()
	if a := r.begin(); a != nil {
		// The client is told of interim responses to the first try only: those
		// of two would contradict one another.
		l := r.join(a, func(int, http.Header) error { return nil })
		r.h.event(l.ctx, a.Number)
		r.try(l)
	}
}

// begin gives the attempt of one more try; nil: it may not be made.
func (r *race) begin() *transport.Attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.req.Context().Err() != nil || r.begun+1 >= r.h.retry.Endpoints() {
		return nil
	}
	if !r.h.budget.take() {
		r.h.retry.denied(r.req.Context())
		return nil
	}
	r.begun++
	r.x.Hedges++
	if r.x.Hedges < r.h.cfg.Max {
		r.schedule()
	}
	return &transport.Attempt{Number: r.lanes[0].a.Number + r.begun, Reason: reasonHedge, Avoid: r.avoid}
}

func (h *hedger) event(ctx context.Context, number int) {
	if h.retry.Event != nil {
		h.retry.Event(ctx, "retry", slog.String("reason", reasonHedge), slog.Int("attempt", number))
	}
}
