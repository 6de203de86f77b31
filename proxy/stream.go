package proxy

import (
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// multiplexed reports whether a request shares its connection with others, so
// that nothing may be done to the connection on its account.
func multiplexed(r *http.Request) bool { return r.ProtoMajor >= 2 }

// wellFormed reports whether a request that came as fields can be said in
// HTTP/1.1 and means one thing only: Host is another word for :authority and
// must not be another name (RFC 9113 §8.3.1). What net/http's HTTP/1 server
// checks while it parses, nobody has checked here; nor white space around a value,
// which HTTP/1 drops (RFC 9113 §8.2.1).
func wellFormed(r *http.Request) bool {
	if !multiplexed(r) {
		return true
	}
	for _, values := range r.Header {
		for _, v := range values {
			if len(v) != len(textproto.TrimString(v)) {
				return false
			}
		}
	}
	for _, host := range r.Header["Host"] {
		if !strings.EqualFold(host, r.Host) {
			return false
		}
	}
	path := strings.HasPrefix(r.RequestURI, "/") || r.RequestURI == "*" && r.Method == http.MethodOptions
	return path && !strings.ContainsFunc(r.RequestURI, func(c rune) bool { return c <= ' ' || c == 0x7f }) &&
		httpguts.ValidHeaderFieldName(r.Method) && // a method is a token, too
		r.Host != "" && httpguts.ValidHostHeader(r.Host) && !strings.ContainsAny(r.Host, "/?#@\\")
}

// slice is how much is written to a stream at once: less than that in a
// write timeout is no progress.
const slice = 8 << 10

// A stall ends a stream whose client opens no window. The connection cannot
// tell: it serves the other streams meanwhile.
type stall struct {
	end func(time.Time) error // SetWriteDeadline
	d   time.Duration

	mu    sync.Mutex
	armed bool
	timer *time.Timer
}

// arm starts the clock, or starts it anew.
func (s *stall) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = true
	if s.timer == nil {
		s.timer = time.AfterFunc(s.d, s.fire)
		return
	}
	s.timer.Reset(s.d)
}

func (s *stall) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.armed {
		_ = s.end(time.Unix(1, 0))
	}
}

// disarm stops the clock. Afterwards it does nothing to the stream.
func (s *stall) disarm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	if s.timer != nil {
		s.timer.Stop()
	}
}

// writeStream is write for a stream.
func (x *forwarding) writeStream(p []byte) (err error) {
	if x.stall == nil {
		x.stall = &stall{end: x.rc.SetWriteDeadline, d: x.p.cfg.Limits.WriteTimeout}
	}
	defer x.stall.disarm()
	for len(p) > 0 && err == nil {
		x.stall.arm()
		n := min(len(p), slice)
		_, err = x.w.Write(p[:n])
		p = p[n:]
	}
	return err
}

// flushStream is flush for a stream. The head of an answer to HEAD ends its
// stream, and net/http reports the end that it brought about itself as an error
// of the flush; it writes that head when the handler returns.
func (x *forwarding) flushStream() error {
	if x.r.Method == http.MethodHead {
		return nil
	}
	if x.stall == nil {
		return x.rc.Flush() // a head needs no window
	}
	defer x.stall.disarm()
	x.stall.arm()
	return x.rc.Flush()
}
