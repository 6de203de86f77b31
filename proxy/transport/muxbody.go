package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// respond prepares what the caller gets of a final response. Where no body can
// follow none is waited for.
func (t *muxTrip) respond(resp *http.Response) error {
	t.headAt = time.Now()
	if t.ctx.Err() != nil {
		_ = resp.Body.Close()
		return t.ctx.Err()
	}
	if resp.StatusCode < 200 || resp.StatusCode > 999 {
		_ = resp.Body.Close()
		return fmt.Errorf("%w: status %d", ErrMalformed, resp.StatusCode)
	}
	t.a.Status, t.delivered = resp.StatusCode, true
	resp.Request = t.req
	f := framingStream
	switch {
	case t.req.Method == http.MethodHead, resp.StatusCode == http.StatusNoContent, resp.StatusCode == http.StatusNotModified:
		f = framingNone
		if resp.Header["Content-Length"] == nil {
			resp.ContentLength = -1
		}
	case resp.ContentLength >= 0:
		f = framingLength
	}
	t.a.Framing = f.String()
	t.body = muxBody{t: t, src: resp.Body, resp: resp, left: resp.ContentLength}
	t.body.trailers()
	if f == framingLength && len(resp.Trailer) > 0 {
		// HTTP/1.1 has trailers only where it has no length.
		resp.ContentLength = -1
		delete(resp.Header, "Content-Length")
	}
	if d := t.m.p.cfg.Timeouts.BodyIdle; d > 0 {
		t.body.idle = stopwatch{time.AfterFunc(d, func() { t.cancel(ErrBodyIdleTimeout) }), d}
		t.body.idle.Stop()
	}
	resp.Body = &t.body
	if f == framingNone {
		resp.Body, t.body.err = http.NoBody, io.EOF
		t.cancel(nil) // of a body that must not be
		_ = t.body.src.Close()
		t.finish(nil)
	}
	return nil
}

// muxBody is the response body of an HTTP/2 stream. Read and Close may be
// called at the same time.
type muxBody struct {
	t    *muxTrip
	src  io.ReadCloser
	resp *http.Response
	left int64 // of a body with a length, else negative
	idle stopwatch

	mu  sync.Mutex
	err error // set once the body has ended; the trip is then over or ending
}

// Read implements io.Reader. Its errors are io.EOF and *Error.
func (b *muxBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.err != nil || len(p) == 0 {
		defer b.mu.Unlock()
		return 0, b.err
	}
	b.idle.start()
	n, err := b.src.Read(p)
	b.idle.Stop()
	b.left -= int64(n)
	if err == nil {
		b.mu.Unlock()
		return n, nil
	}
	var failed *Error
	b.err = io.EOF
	if !errors.Is(err, io.EOF) {
		failed = b.t.classify(err)
		b.err = failed
	} else {
		b.trailers()
	}
	err = b.err
	b.mu.Unlock()
	b.t.finish(failed)
	return n, err
}

// trailers removes what may not stand in a trailer section.
func (b *muxBody) trailers() {
	for name := range b.resp.Trailer {
		if forbiddenTrailer(name) {
			delete(b.resp.Trailer, name)
		}
	}
}

// Close ends the exchange. A body that has not been read to its end costs its
// stream only.
func (b *muxBody) Close() error {
	if !b.mu.TryLock() {
		b.t.cancel(ErrAbandoned) // frees the Read in progress
		b.mu.Lock()
	}
	if b.err != nil {
		b.mu.Unlock()
		return nil //nolint:nilerr // closing what has ended is no error
	}
	var failed *Error
	b.err = io.EOF
	if b.left != 0 {
		failed = b.t.classify(ErrAbandoned)
		b.err = failed
	}
	b.mu.Unlock()
	b.t.cancel(ErrAbandoned)
	_ = b.src.Close()
	b.t.finish(failed)
	return nil
}
