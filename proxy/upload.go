package proxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/http/httpguts"
)

// bodyFault is how reading a request body failed.
type bodyFault int32

const (
	bodyFine bodyFault = iota
	bodyTruncated
	bodyMalformed
	bodyTimeout
	bodyReset
)

// upload is a request body on its way upstream. The transport reads it, in a
// goroutine of its own when it must, and may have to give up while a Read
// waits for the client.
type upload struct {
	src     io.ReadCloser
	rc      *http.ResponseController
	timeout time.Duration // without progress
	stream  bool          // of HTTP/2
	before  func()        // runs before the first Read
	atEOF   func()        // runs when the body has been read

	received    atomic.Int64 // bytes
	touched     atomic.Bool
	reading     atomic.Bool
	ended       atomic.Bool // read to its end
	interrupted atomic.Bool
	fault       atomic.Int32
}

// Read reads what the client sends, as long as it keeps sending.
func (u *upload) Read(p []byte) (int, error) {
	if !u.touched.Swap(true) && u.before != nil {
		u.before()
	}
	if u.interrupted.Load() {
		return 0, os.ErrDeadlineExceeded
	}
	u.reading.Store(true)
	defer u.reading.Store(false)
	_ = u.rc.SetReadDeadline(time.Now().Add(u.timeout)) // net/http clears it at the body's end
	if u.interrupted.Load() {
		_ = u.rc.SetReadDeadline(time.Unix(1, 0))
	}
	n, err := u.src.Read(p)
	u.received.Add(int64(n))
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		if u.atEOF != nil {
			u.atEOF()
		}
		u.ended.Store(true)
	case !u.interrupted.Load():
		u.fault.Store(int32(u.faultOf(err)))
	}
	return n, err
}

// Interrupt implements transport.Interrupter. The connection can carry no
// further request after it: net/http takes the failed read for a lost client.
func (u *upload) Interrupt() {
	if u.ended.Load() {
		return
	}
	u.interrupted.Store(true)
	_ = u.rc.SetReadDeadline(time.Unix(1, 0))
}

// Close does nothing: what is left of the body is the forwarder's to deal
// with, and another attempt may still read it.
func (u *upload) Close() error { return nil }

// faulty is how the body failed so far.
func (u *upload) faulty() bodyFault {
	if u == nil {
		return bodyFine
	}
	return bodyFault(u.fault.Load())
}

// busy reports whether a Read waits for the client, or was made to fail by us:
// the end of the request's context then says nothing about the client.
func (u *upload) busy() bool { return u != nil && (u.reading.Load() || u.interrupted.Load()) }

func (u *upload) faultOf(err error) bodyFault {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return bodyTimeout
	case u.stream:
		return bodyReset // by the client, or for what it did to the framing
	case errors.Is(err, io.ErrUnexpectedEOF):
		return bodyTruncated
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.EPIPE):
		return bodyReset
	}
	return bodyMalformed
}

// copyTrailers adds the valid ones of from to to (RFC 9110 §6.5.1).
func copyTrailers(to, from http.Header) {
	for name, values := range from {
		if len(values) > 0 && httpguts.ValidTrailerHeader(name) {
			to[name] = values
		}
	}
}
