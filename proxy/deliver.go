package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"golang.org/x/net/http/httpguts"
)

// block is the unit of copying (requirement S0.5).
const block = 32 << 10

var blocks = sync.Pool{New: func() any { return new([block]byte) }}

// deliver streams a response to the client. Its head goes out with the first
// bytes of the body when those are here already, and at once when they are
// not; each block goes out when nothing more is waiting behind it. What can
// pass without being copied does.
func (x *forwarding) deliver(resp *http.Response) {
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 200 {
		x.fail(errBadStatus)
		return
	}
	buf := blocks.Get().(*[block]byte)
	defer blocks.Put(buf)
	n, err := 0, error(nil)
	if resp.Body == http.NoBody {
		err = io.EOF
	} else if waiting(resp) > 0 || resp.ContentLength == 0 {
		n, err = resp.Body.Read(buf[:])
		if n == 0 && err != nil && !errors.Is(err, io.EOF) {
			x.fail(err) // nothing was sent, so the truth can be
			return
		}
		if more, ok := resp.Body.(interface{ More([]byte) (int, error) }); ok && err == nil {
			var m int
			m, err = more.More(buf[n:]) // a short body then goes out in one piece
			n += m
		}
	}
	x.writeHead(resp)
	if n > 0 {
		x.begin(buf[:n])
		n = 0
	}
	for {
		if n > 0 {
			x.write(buf[:n])
		}
		if err == nil && waiting(resp) == 0 {
			x.flush()
			err = x.splice(resp)
		}
		if err != nil {
			break
		}
		n, err = resp.Body.Read(buf[:])
	}
	if !errors.Is(err, io.EOF) {
		x.cutShort(resp, err)
	}
	x.finish(resp)
}

var errBadStatus = errors.New("final status below 200")

// waiting is how much of the body can be read without waiting for the network.
func waiting(resp *http.Response) int {
	if b, ok := resp.Body.(interface{ Buffered() int }); ok {
		return b.Buffered()
	}
	return 0
}

func (x *forwarding) writeHead(resp *http.Response) {
	x.head.Lock()
	defer x.head.Unlock()
	x.continued = true
	responseHeader(x.w.Header(), resp)
	x.closeAfter()
	x.w.WriteHeader(resp.StatusCode)
}

func (x *forwarding) write(p []byte) {
	var err error
	if multiplexed(x.r) {
		err = x.writeStream(p)
	} else {
		_, err = x.w.Write(p)
	}
	if err != nil {
		x.lost()
	}
}

// begin writes the head, which net/http holds back, and the first bytes of the
// body, together if they fill net/http's buffer.
func (x *forwarding) begin(p []byte) {
	if x.conn == nil || len(p) < 4<<10 {
		x.write(p)
		return
	}
	x.conn.Gather()
	x.write(p)
	if x.conn.Release() != nil {
		x.lost()
	}
}

// flush sends what net/http holds back.
func (x *forwarding) flush() {
	var err error
	if multiplexed(x.r) {
		err = x.flushStream()
	} else {
		err = x.rc.Flush()
	}
	if err != nil {
		x.lost()
	}
	x.flushed = true
}

// lost ends an exchange whose client does not take its response.
func (x *forwarding) lost() {
	x.ex.Class = "client_gone"
	if x.flushed {
		x.ex.Aborted = true
	} else {
		x.ex.Status = StatusClientGone
	}
	x.abort(false)
}

// cutShort passes on that a body is incomplete: what there is of it, and then
// an end that cannot be taken for the proper one (RFC 9112 §8).
func (x *forwarding) cutShort(resp *http.Response, err error) {
	x.flush()
	x.ex.Aborted = true
	x.ex.Class = explain(err, x.up.faulty()).class
	x.tell(err)
	// Only an RST tells a client whose response ends with the connection.
	x.abort(!x.r.ProtoAtLeast(1, 1) && resp.ContentLength < 0)
}

// finish sends trailers and the end.
func (x *forwarding) finish(resp *http.Response) {
	if len(resp.Trailer) > 0 && resp.ContentLength < 0 && x.r.ProtoAtLeast(1, 1) && x.r.Method != http.MethodHead {
		x.trailers(resp)
		return
	}
	if resp.ContentLength >= 0 || resp.Body == http.NoBody {
		x.flush() // the last bytes: whether the client takes them is part of the truth
	}
}

func (x *forwarding) trailers(resp *http.Response) {
	if !x.flushed {
		x.flush() // a body with trailers must be chunked, however short
	}
	h := x.w.Header()
	for name, values := range resp.Trailer {
		if len(values) > 0 && httpguts.ValidTrailerHeader(name) {
			h[http.TrailerPrefix+name] = values
		}
	}
}
