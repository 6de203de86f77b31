package policy

import (
	"context"
	"net/http"
	"time"

	"gauntlet/proxy/transport"
)

// deadline bounds a whole exchange, from here to the end of the response body.
// A tunnel is beyond it once it stands.
type deadline struct {
	next  http.RoundTripper
	limit time.Duration // 0: none
}

// RoundTrip makes sure that there is an Exchange in the context.
func (d *deadline) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	x := transport.ExchangeFrom(ctx)
	if x == nil {
		x = &transport.Exchange{}
		ctx = transport.WithExchange(ctx, x)
	}
	if x.Started.IsZero() {
		x.Started = time.Now()
	}
	if d.limit <= 0 {
		return d.next.RoundTrip(req.WithContext(ctx))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.limit, transport.ErrDeadline)
	resp, err := d.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	if last := x.Last(); last != nil {
		last.OnDone(func(*transport.Attempt) { cancel() })
	} else { // nobody below records attempts: the deadline itself ends the context
		context.AfterFunc(ctx, cancel)
	}
	return resp, nil
}
