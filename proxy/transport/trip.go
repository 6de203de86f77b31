package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	maxInterim       = 10_000          // 1xx responses to one request; none is kept
	continuePatience = time.Second     // for a 100 (RFC 9110 §10.1.1 lets the client go on without)
	lastWords        = 2 * time.Second // to read what the upstream said before it closed on our upload
)

// trip is one attempt on one connection, from the lease to the end of the
// response body, which it is itself.
type trip struct {
	p    *Pool
	req  *http.Request
	a    *Attempt
	c    *conn
	up   *upload     // nil: no request body
	stop func() bool // ends the watch over the context

	head     *[]byte // request head, the upload's too until that has been joined
	writeErr error   // a write failed, but an answer may still come

	leased time.Time // when the exchange on the connection began
	wroteN struct {  // when the request was on its way as a whole
		sync.Mutex
		at time.Time
	}

	awaiting100 bool
	resp        *http.Response
	framing     framing
	sound       bool // the response allows another request on the connection
	headAt      time.Time
	delivered   bool // RoundTrip has succeeded, or is about to
	body        body

	endMu sync.Mutex // abort by Close against the connection's next exchange
	ended bool
}

// run makes the attempt. On error everything has ended and the request body is
// closed.
func (t *trip) run() (*http.Response, error) {
	t.head = t.p.headBuf()
	head, err := appendHead(*t.head, t.req)
	*t.head = head
	if err != nil {
		return nil, t.refuse(&Error{Source: SourceClient, Phase: PhaseQueue, Unprocessed: true, Err: err})
	}
	if t.req.Context().Err() != nil {
		e := ctxError(t.req.Context(), PhaseQueue, 0)
		e.Unprocessed = true
		return nil, t.refuse(e)
	}
	c, failed := t.p.lease(t.req.Context(), t.a)
	if failed != nil {
		return nil, t.refuse(failed)
	}
	c.begin()
	t.a.TLSVersion = c.version
	t.c, t.leased = c, time.Now()
	t.stop = func() bool { return true }
	if t.req.Context().Done() != nil {
		t.stop = context.AfterFunc(t.req.Context(), c.abort)
	}
	if err := t.send(head); err != nil {
		return nil, t.fail(err)
	}
	if err := t.receive(); err != nil {
		return nil, t.fail(err)
	}
	if err := t.respond(); err != nil {
		return nil, t.fail(err)
	}
	return t.resp, nil
}

// send writes the request, or starts to.
func (t *trip) send(head []byte) error {
	length, has := hasBody(t.req)
	if !has {
		t.c.armHeaders(t.p.cfg.Timeouts.Headers)
		if err := t.c.write(head); err != nil {
			return t.tolerate(err)
		}
		t.wrote()
		return nil
	}
	t.up = newUpload(t, t.req.Body, length, head)
	if t.awaiting100 = expectsContinue(t.req.Header); t.awaiting100 {
		t.c.armHeaders(t.expectation())
		return t.tolerate(t.up.writeHead())
	}
	t.up.start()
	timer := time.NewTimer(headPatience)
	defer timer.Stop()
	select {
	case <-t.up.done:
	case <-timer.C:
	}
	return t.tolerate(t.up.writeHead())
}

func (t *trip) expectation() time.Duration {
	if d := t.p.cfg.Timeouts.Headers; d > 0 {
		return min(d, continuePatience)
	}
	return continuePatience
}

// tolerate keeps an attempt going after a failed write when the upstream took
// part of the request: it may have answered before it closed, and an answer
// that is there beats the error.
func (t *trip) tolerate(err error) error {
	if err == nil {
		return nil
	}
	werr := fmt.Errorf("%w: %w", ErrWrite, err)
	if isTimeout(err) {
		werr = fmt.Errorf("%w: %w", ErrWriteTimeout, err)
	}
	if t.c.out.Load() == 0 || isTimeout(err) || t.c.wasAborted() {
		return werr
	}
	t.writeErr = werr
	t.c.armHeaders(lastWords)
	return nil
}

// receive reads up to the final response head, handing on interim ones.
func (t *trip) receive() error {
	for interim := 0; ; interim++ {
		head, err := t.c.br.head(t.p.cfg.MaxHeaderBytes)
		if err != nil {
			if t.awaiting100 && isTimeout(err) && !t.c.wasAborted() && t.writeErr == nil {
				t.sendBody()
				continue
			}
			return err
		}
		resp, err := parseHead(head)
		if err != nil {
			return err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			t.c.headArrived()
			resp.Request = t.req
			t.resp, t.headAt = resp, time.Now()
			return nil
		}
		if interim >= maxInterim {
			return fmt.Errorf("%w: more than %d interim responses", ErrMalformed, maxInterim)
		}
		if err := t.interim(resp); err != nil {
			return err
		}
	}
}

func (t *trip) interim(resp *http.Response) error {
	hook := t.a.on1xx
	if hook == nil {
		if x := ExchangeFrom(t.req.Context()); x != nil {
			hook = x.On1xx
		}
	}
	if hook != nil {
		if err := hook(resp.StatusCode, resp.Header); err != nil {
			return fmt.Errorf("%w: %w", errInterimHook, err)
		}
	}
	if t.awaiting100 && resp.StatusCode == http.StatusContinue {
		t.sendBody()
	}
	return nil
}

var errInterimHook = errors.New("interim response could not be passed on")

// sendBody starts the upload that waited for leave.
func (t *trip) sendBody() {
	t.awaiting100 = false
	t.c.setReadDeadline(time.Time{})
	t.up.start()
}

// wrote notes that the request has been sent and the response is due.
func (t *trip) wrote() {
	t.wroteN.Lock()
	t.wroteN.at = time.Now()
	t.wroteN.Unlock()
	if t.up != nil {
		t.c.armHeaders(t.p.cfg.Timeouts.Headers)
	}
}

// respond prepares what the caller gets from the final head.
func (t *trip) respond() error {
	t.a.Status = t.resp.StatusCode
	if t.resp.StatusCode == http.StatusSwitchingProtocols {
		return t.tunnel()
	}
	f, sound, err := frame(t.resp, t.req.Method)
	if err != nil {
		return err
	}
	said := persistent(t.resp)
	t.c.keep = said.idle
	t.framing, t.delivered = f, true
	t.sound = sound && said.keep && t.c.another(said.more) && f != framingClose && t.writeErr == nil &&
		!t.req.Close && !httpguts.HeaderValuesContainsToken(t.req.Header["Connection"], "close")
	t.a.Framing = f.String()
	t.resp.Body = &t.body
	t.body.t, t.body.left = t, t.resp.ContentLength
	if f == framingChunked {
		t.resp.Trailer = announcedTrailers(t.resp.Header)
	}
	t.c.bodyIdle = t.p.cfg.Timeouts.BodyIdle
	if f == framingNone {
		t.body.err = io.EOF
		t.resp.Body = http.NoBody
		t.finish(nil)
	}
	return nil
}
