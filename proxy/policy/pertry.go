package policy

import (
	"context"
	"net/http"
	"time"

	"gauntlet/proxy/transport"
)

// tryLimit bounds one try up to its response head; the body has the idle
// timeout and the overall deadline.
type tryLimit struct {
	next  http.RoundTripper
	limit time.Duration
}

func (l *tryLimit) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(l.limit, func() { cancel(transport.ErrPerTryTimeout) })
	resp, err := l.next.RoundTrip(req.WithContext(ctx))
	inTime := timer.Stop()
	if err != nil {
		cancel(nil)
		return nil, err
	}
	a := transport.AttemptFrom(ctx)
	if inTime || resp.StatusCode == http.StatusSwitchingProtocols {
		if a != nil {
			a.OnDone(func(*transport.Attempt) { cancel(nil) })
		}
		return resp, nil
	}
	// The head and the timer met; the body can no longer be read.
	_ = resp.Body.Close()
	e := &transport.Error{
		Source: transport.SourceUpstream, Phase: transport.PhaseHeaders,
		Sent: true, Timeout: true, Err: transport.ErrPerTryTimeout,
	}
	if a != nil {
		e.Endpoint, e.Reused = a.Endpoint, a.Reused
	}
	return nil, e
}
