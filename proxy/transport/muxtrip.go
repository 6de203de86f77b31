package transport

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"sync/atomic"
	"time"
)

// muxInterims is how many interim responses may wait for the caller, who passes
// them on; the connection's reader must not wait with them.
const muxInterims = 64

// muxTrip is one attempt on one HTTP/2 stream, from the lease to the end of the
// response body.
type muxTrip struct {
	m   *mux
	req *http.Request
	a   *Attempt
	c   *muxConn
	up  *muxUpload // nil: no request body

	ctx    context.Context // of the stream; ending it resets the stream
	cancel context.CancelCauseFunc
	stall  stopwatch // over the upstream taking the request

	id      atomic.Uint32 // of the stream, 0: nothing of the request was sent
	in, out atomic.Int64  // bytes of its frames
	reset   atomic.Int64  // error code of the server's RST_STREAM, plus one

	interims chan interim
	result   chan muxResult
	wrote    chan struct{} // closed when the request has been sent, or will not be
	wroteOne sync.Once
	wroteAt  atomic.Pointer[time.Time]

	leased, headAt time.Time
	delivered      bool // RoundTrip has succeeded, or is about to
	reused         bool
	body           muxBody
}

type interim struct {
	code   int
	header http.Header
}

type muxResult struct {
	resp *http.Response
	err  error
}

// stopwatch is a timer that may be missing.
type stopwatch struct {
	*time.Timer
	d time.Duration
}

func (s stopwatch) start() {
	if s.Timer != nil {
		s.Reset(s.d)
	}
}

// Stop implements what time.Timer's does.
func (s stopwatch) Stop() {
	if s.Timer != nil {
		s.Timer.Stop()
	}
}

// roundTrip makes one attempt; see RoundTripper. served is false when the
// endpoint speaks HTTP/1.1 only, and then nothing has happened.
func (m *mux) roundTrip(req *http.Request, a *Attempt) (resp *http.Response, err error, served bool) { //nolint:revive // err is of the exchange, served says whether there was one
	t := &muxTrip{m: m, req: req, a: a}
	scheme := "http"
	if m.tls != nil {
		scheme = "https"
	}
	out, err := muxRequest(req, scheme, m.p.cfg.Endpoint)
	if err != nil {
		return nil, t.refuse(&Error{Source: SourceClient, Phase: PhaseQueue, Unprocessed: true, Err: err}), true
	}
	if req.Context().Err() != nil {
		e := ctxError(req.Context(), PhaseQueue, 0)
		e.Unprocessed = true
		return nil, t.refuse(e), true
	}
	l := m.lease(req.Context(), a)
	switch {
	case l.http1:
		return nil, nil, false
	case l.err != nil:
		return nil, t.refuse(l.err), true
	}
	t.c, t.reused, t.leased = l.c, l.reused, time.Now()
	a.ConnID, a.Reused, a.IdleAge, a.TLSVersion = l.c.id, l.reused, l.idle, l.c.version
	t.send(out)
	resp, err = t.receive()
	if err == nil {
		err = t.respond(resp)
	}
	if err != nil {
		return nil, t.fail(err), true
	}
	return resp, nil, true
}

// refuse ends an attempt that had no connection.
func (t *muxTrip) refuse(e *Error) error {
	if t.req.Body != nil {
		_ = t.req.Body.Close()
	}
	if e.Endpoint == "" {
		e.Endpoint = t.m.p.cfg.Endpoint
	}
	t.a.Done(e)
	return e
}

// send hands the request to ClientConn.
func (t *muxTrip) send(out *http.Request) {
	t.interims, t.result, t.wrote = make(chan interim, muxInterims), make(chan muxResult, 1), make(chan struct{})
	t.ctx, t.cancel = context.WithCancelCause(t.req.Context())
	if d := t.m.p.cfg.Timeouts.Write; d > 0 {
		t.stall = stopwatch{time.AfterFunc(d, t.stalled), d}
	}
	if length, has := hasBody(t.req); has {
		t.up = newMuxUpload(t, length)
		out.Body, out.ContentLength, out.Trailer = t.up, length, t.up.trailer
	}
	out = out.WithContext(httptrace.WithClientTrace(t.ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { t.c.opens(t) },
		WroteRequest:     t.written,
		Got1xxResponse:   t.got1xx,
	}))
	go func() { // receive waits for its result
		resp, err := t.c.cc.RoundTrip(out)
		t.result <- muxResult{resp, err}
	}()
}

func (t *muxTrip) watch() { t.stall.start() }

// stalled runs when the upstream has taken nothing of the request for too long.
// Once it has answered, that is its right.
func (t *muxTrip) stalled() {
	select {
	case <-t.wrote:
	default:
		t.cancel(ErrWriteTimeout)
	}
}

// written runs when the request has been sent, or will not be.
func (t *muxTrip) written(info httptrace.WroteRequestInfo) {
	t.wroteOne.Do(func() {
		if info.Err == nil {
			now := time.Now()
			t.wroteAt.Store(&now)
		}
		close(t.wrote)
	})
	t.stall.Stop()
}

// got1xx runs on the connection's reader.
func (t *muxTrip) got1xx(code int, h textproto.MIMEHeader) error {
	if code == http.StatusSwitchingProtocols {
		return fmt.Errorf("%w: 101 in HTTP/2 (RFC 9113 §8.6)", ErrMalformed)
	}
	select {
	case t.interims <- interim{code, http.Header(h)}:
		return nil
	default:
		return fmt.Errorf("%w: more than %d interim responses at once", ErrMalformed, muxInterims)
	}
}

// receive waits for the final response head, handing on interim ones. Whatever
// goes wrong ends the stream, and with it the wait.
func (t *muxTrip) receive() (*http.Response, error) {
	wrote := t.wrote
	var late <-chan time.Time
	for count := 0; ; {
		select {
		case i := <-t.interims:
			t.interim(&count, i)
		case <-wrote:
			wrote = nil
			if d := t.m.p.cfg.Timeouts.Headers; d > 0 {
				timer := time.NewTimer(d)
				defer timer.Stop()
				late = timer.C
			}
		case <-late:
			late = nil
			t.cancel(ErrHeaderTimeout)
			t.m.retire(t.c) // the next one is not to wait as long on it
		case r := <-t.result:
			for len(t.interims) > 0 {
				t.interim(&count, <-t.interims)
			}
			t.stall.Stop()
			return r.resp, r.err
		}
	}
}

func (t *muxTrip) interim(count *int, i interim) {
	if *count++; *count > maxInterim {
		t.cancel(fmt.Errorf("%w: more than %d interim responses", ErrMalformed, maxInterim))
		return
	}
	hook := t.a.on1xx
	if hook == nil {
		if x := ExchangeFrom(t.req.Context()); x != nil {
			hook = x.On1xx
		}
	}
	if hook != nil {
		if err := hook(i.code, i.header); err != nil {
			t.cancel(fmt.Errorf("%w: %w", errInterimHook, err))
		}
	}
	if i.code == http.StatusContinue {
		t.up.may()
	}
}
