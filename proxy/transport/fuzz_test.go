package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
)

// canned is a connection whose peer has sent all it will, then a FIN.
type canned struct {
	net.Conn
	wire []byte
	step int // bytes per read
}

func (c *canned) Read(p []byte) (int, error) {
	if len(c.wire) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.step)], c.wire)
	c.wire = c.wire[n:]
	return n, nil
}

func (c *canned) Write(p []byte) (int, error)      { return len(p), nil }
func (c *canned) Close() error                     { return nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// outcome is all that a caller can see of one response.
type outcome struct {
	status  int
	header  string
	body    string
	trailer string
	ended   bool // cleanly
	reused  bool
}

func exchange(t *testing.T, method string, wire []byte, step int) outcome {
	t.Helper()
	p := transport.New(transport.Config{
		Endpoint: "fuzz:1", MaxHeaderBytes: 4 << 10,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return &canned{wire: bytes.Clone(wire), step: step}, nil
		},
	})
	defer p.Close()
	ends := 0
	a := &transport.Attempt{}
	a.OnDone(func(*transport.Attempt) { ends++ })
	req := request(t, method, "/", nil)
	resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), a)))
	var o outcome
	if err == nil {
		var body []byte
		body, err = io.ReadAll(resp.Body)
		o = outcome{status: resp.StatusCode, header: fmt.Sprint(resp.Header), body: string(body), trailer: fmt.Sprint(resp.Trailer), ended: err == nil}
	}
	if err != nil {
		e, isOurs := errors.AsType[*transport.Error](err)
		require.True(t, isOurs, "%v", err)
		require.Same(t, e, a.Err)
	}
	require.Equal(t, 1, ends)
	s := p.Stats()
	require.Zero(t, s.Leased)
	o.reused = s.Idle == 1
	return o
}

// spaced tells whether white space may stand before a colon, which a proxy
// removes (RFC 9112 §5.1); net/http takes it for a part of the name.
func spaced(wire []byte) bool {
	return bytes.Contains(wire, []byte(" :")) || bytes.Contains(wire, []byte("\t:"))
}

// FuzzResponse: whatever an upstream sends, the attempt ends once, the result
// does not depend on how the bytes were cut into segments, and what we call
// complete net/http understands in the same way.
func FuzzResponse(f *testing.F) {
	for _, wire := range []string{
		ok, ok + ok, chunkedHead + "5\r\nhello\r\n0\r\n\r\n", chunkedHead + "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" + ok, "HTTP/1.0 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\nContent-Length: 2, 2\n\nok",
		"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", chunkedHead + "ffffffffffffffff\r\n",
		"HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\nKeep-Alive: timeout=5\r\n\r\n",
	} {
		f.Add([]byte(wire), false)
		f.Add([]byte(wire), true)
	}
	f.Fuzz(func(t *testing.T, wire []byte, head bool) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		whole := exchange(t, method, wire, len(wire)+1)
		bytewise := exchange(t, method, wire, 1)
		if whole.reused != bytewise.reused {
			// Surplus that has not arrived is found at check-out, not here.
			require.True(t, bytewise.reused && !whole.reused)
			bytewise.reused = whole.reused
		}
		if whole.ended || bytewise.ended || whole.status != 0 || bytewise.status != 0 {
			require.Equal(t, whole, bytewise)
		}
		if !whole.ended || head || whole.status == http.StatusNoContent || whole.status == http.StatusNotModified {
			return // without a body no framing field is believed, right or wrong
		}
		if spaced(wire) {
			return
		}
		r := bufio.NewReader(bytes.NewReader(wire))
		for {
			resp, err := http.ReadResponse(r, &http.Request{Method: method})
			if err != nil && bytes.ContainsRune(wire, ',') {
				return // a list of equal lengths is one length (RFC 9112 §6.3)
			}
			require.NoError(t, err, "%q", wire)
			if resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
				continue
			}
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err, "%q", wire)
			require.Equal(t, resp.StatusCode, whole.status)
			require.Equal(t, string(body), whole.body, "%q", wire)
			return
		}
	})
}
