package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// muxUpload is a request body as ClientConn reads it, in a goroutine of its
// own. It makes sure of the length, waits for leave when the client does, and
// lets go of the client's body when the attempt ends.
type muxUpload struct {
	t       *muxTrip
	src     io.ReadCloser
	length  int64         // -1: unknown
	trailer http.Header   // filled in at the end, nil: none
	leave   chan struct{} // closed when the body may be sent; nil: at once
	grant   sync.Once
	sent    int64
	failure atomic.Pointer[uploadError]

	mu      sync.Mutex
	free    sync.Cond // reading has become false
	reading bool
	stopped bool
	late    bool // a read in progress has had its time after stopped
	ended   bool
}

func newMuxUpload(t *muxTrip, length int64) *muxUpload {
	u := &muxUpload{t: t, src: t.req.Body, length: length}
	u.free.L = &u.mu
	if length < 0 {
		u.trailer = http.Header{}
		for _, name := range trailerNames(t.req.Trailer) {
			u.trailer[name] = nil // announced
		}
	}
	if expectsContinue(t.req.Header) {
		u.leave = make(chan struct{})
	}
	return u
}

// may lets the body go.
func (u *muxUpload) may() {
	if u != nil && u.leave != nil {
		u.grant.Do(func() { close(u.leave) })
	}
}

// waiting tells whether the body waits for leave.
func (u *muxUpload) waiting() bool {
	if u == nil || u.leave == nil {
		return false
	}
	select {
	case <-u.leave:
		return false
	default:
		return true
	}
}

// Read reads from the client. The time between two calls is what the upstream
// takes to accept a block.
func (u *muxUpload) Read(p []byte) (int, error) {
	u.t.stall.Stop()
	if u.waiting() && !u.patience() {
		return 0, errUploadStopped
	}
	if u.length >= 0 {
		p = p[:min(int64(len(p)), u.length-u.sent)]
		if len(p) == 0 {
			return 0, io.EOF
		}
	}
	p = p[:min(len(p), uploadBlock)]
	u.mu.Lock()
	if u.stopped {
		u.mu.Unlock()
		return 0, errUploadStopped
	}
	u.reading = true
	u.mu.Unlock()
	n, err := u.read(p)
	u.mu.Lock()
	u.reading = false
	stopped := u.stopped
	u.free.Broadcast()
	u.mu.Unlock()
	u.sent += int64(n)
	if stopped && err != nil && !errors.Is(err, io.EOF) {
		return n, errUploadStopped // broken off by us, not by the client
	}
	err = u.check(err)
	if err == nil || errors.Is(err, io.EOF) {
		u.t.watch()
	}
	return n, err
}

// patience waits for leave, not for ever (RFC 9110 §10.1.1). False: the attempt
// is over.
func (u *muxUpload) patience() bool {
	d := continuePatience
	if h := u.t.m.p.cfg.Timeouts.Headers; h > 0 {
		d = min(d, h)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-u.leave:
	case <-timer.C:
		u.may()
	case <-u.t.ctx.Done():
		return false
	}
	return true
}

func (u *muxUpload) read(p []byte) (int, error) {
	for range 100 {
		if n, err := u.src.Read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// check makes the body's end out of what a read gave.
func (u *muxUpload) check(err error) error {
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		u.failure.CompareAndSwap(nil, &uploadError{client: true, err: err})
		return err
	case u.length >= 0 && u.sent == u.length:
		err = io.EOF
	case err != nil && u.length >= 0:
		err = fmt.Errorf("%d of %d bytes: %w", u.sent, u.length, io.ErrUnexpectedEOF)
		u.failure.CompareAndSwap(nil, &uploadError{client: true, err: err})
		return err
	}
	if err != nil {
		for _, name := range trailerNames(u.t.req.Trailer) {
			for _, value := range u.t.req.Trailer[name] {
				if validValue(value) && u.trailer != nil {
					u.trailer.Add(name, value)
				}
			}
		}
		u.mu.Lock()
		u.ended = true
		u.mu.Unlock()
	}
	return err
}

// busy tells whether a Read waits for the client.
func (u *muxUpload) busy() bool {
	if u == nil {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.reading
}

// sentAll tells whether nothing is left to be read.
func (u *muxUpload) sentAll() bool {
	if u == nil {
		return true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ended && !u.stopped
}

// Close ends the reading. ClientConn calls it when nobody wants the rest, the
// attempt when it is over; afterwards the client's body is not touched. A read
// that brings what is there is let be: a body whose read was broken off cannot be
// sent again.
func (u *muxUpload) Close() error {
	u.may()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	if u.reading && u.t.req.Context().Err() == nil {
		timer := time.AfterFunc(readGrace, u.hurry)
		for u.reading && !u.late {
			u.free.Wait()
		}
		timer.Stop()
	}
	if u.reading {
		if i, ok := u.src.(Interrupter); ok {
			i.Interrupt()
		} else {
			_ = u.src.Close()
		}
	}
	for u.reading {
		u.free.Wait()
	}
	return u.src.Close()
}

// hurry ends the patience of Close.
func (u *muxUpload) hurry() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.late = true
	u.free.Broadcast()
}
