package proxy

import (
	"io"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	// drainBytes is how much of a request body that nobody wanted is read
	// to keep the connection.
	drainBytes = 64 << 10
	// drainTime is how long that may take.
	drainTime = time.Second
)

// unread reports whether the client may still be sending its body.
func (x *forwarding) unread() bool { return x.up != nil && !x.up.ended.Load() }

// drainable reports whether the rest of the request body is so small, and so
// certainly coming, that reading it is cheaper than a new connection.
func (x *forwarding) drainable() bool {
	return !x.up.touched.Load() && x.r.ContentLength > 0 && x.r.ContentLength <= drainBytes && !x.expects()
}

// closeAfter announces the end of a connection whose request body will not be
// read to its end (RFC 9112 §9.6). An HTTP/2 stream ends alone.
func (x *forwarding) closeAfter() {
	if !multiplexed(x.r) && x.unread() && !x.drainable() {
		x.w.Header().Set("Connection", "close")
	}
}

// leave is the last thing done for an exchange. What is left of the request
// body must never be read as the next request; the connection's Close reads
// and drops it, for a while, so that the answer is not erased by an RST.
func (x *forwarding) leave() {
	if x.conn != nil {
		x.ex.HalfClosed = x.conn.HalfClosed()
	}
	if x.up != nil {
		x.ex.Received += x.up.received.Load()
	}
	if !x.unread() || multiplexed(x.r) { // net/http asks for the rest of a stream to be left unsent
		return
	}
	if x.drainable() && x.rc.SetReadDeadline(time.Now().Add(drainTime)) == nil {
		if _, err := io.Copy(io.Discard, x.r.Body); err == nil {
			return
		}
	}
	if x.conn != nil {
		x.conn.Doom()
	}
}

// expects reports whether the client waits for leave to send its body.
func (x *forwarding) expects() bool {
	return x.r.ProtoAtLeast(1, 1) && httpguts.HeaderValuesContainsToken(x.r.Header["Expect"], "100-continue")
}

// sendContinue tells a waiting client to send its body, when no 100 of the
// upstream has. It runs in the goroutine that reads the body; without it
// net/http would send the 100 itself and could do so while another response
// head is being written (golang/go#80949).
func (x *forwarding) sendContinue() {
	x.head.Lock()
	defer x.head.Unlock()
	if !x.continued {
		x.continued = true
		x.w.WriteHeader(http.StatusContinue)
	}
}

// interim passes a 1xx on at once.
func (x *forwarding) interim(code int, h http.Header) error {
	x.head.Lock()
	defer x.head.Unlock()
	if code == http.StatusContinue {
		if x.continued {
			return nil
		}
		x.continued = true
	}
	to := x.w.Header()
	copyEndToEnd(to, h)
	delete(to, "Content-Length")
	x.w.WriteHeader(code)
	clear(to)
	return nil
}
