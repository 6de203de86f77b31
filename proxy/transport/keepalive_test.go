package transport_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

func TestConnectionIsReused(t *testing.T) {
	for name, resp := range map[string]string{
		"length":             ok,
		"identical lengths":  "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok",
		"chunked":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
		"1.0 keep-alive":     "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
		"no body":            "HTTP/1.1 204 No Content\r\n\r\n",
		"close is a suffix":  "HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 2\r\n\r\nok",
		"bare LF in head":    "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"no reason":          "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
		"keep-alive timeout": "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60, max=5\r\nContent-Length: 2\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, answer(resp))
			p := newPool(t, s.Addr)
			_, first := get(t, p, "/1")
			_, second := get(t, p, "/2")
			require.False(t, first.Reused)
			require.True(t, second.Reused)
			require.Equal(t, first.ConnID, second.ConnID)
			require.Equal(t, 1, s.Accepted())
			require.Equal(t, uint64(1), p.Stats().Dialed)
		})
	}
}

// RFC 9112 §9.6: no further request on a connection that was marked close.
func TestConnectionIsNotReused(t *testing.T) {
	for name, resp := range map[string]string{
		"close":             "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"second token":      "HTTP/1.1 200 OK\r\nConnection: Foo, CLOSE\r\nContent-Length: 2\r\n\r\nok",
		"second line":       "HTTP/1.1 200 OK\r\nConnection: foo\r\nconnection: Close\r\nContent-Length: 2\r\n\r\nok",
		"1.0":               "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"surplus":           ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"surplus CRLF":      ok + "\r\n",
		"204 with body":     "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil",
		"304 with body":     "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil",
		"204 CL and TE":     "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
		"keep-alive max=0":  "HTTP/1.1 200 OK\r\nKeep-Alive: max=0\r\nContent-Length: 2\r\n\r\nok",
		"keep-alive 0 s":    "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok",
		"chunked + surplus": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nevil",
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, answer(resp))
			p := newPool(t, s.Addr)
			body, _ := get(t, p, "/1")
			require.NotContains(t, body, "evil")
			_, second := get(t, p, "/2")
			require.False(t, second.Reused)
			require.Equal(t, 2, s.Accepted())
		})
	}
}

func TestRequestThatSaysCloseEndsTheConnection(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	p := newPool(t, s.Addr)
	req := request(t, http.MethodGet, "/", nil)
	req.Close = true
	resp, _, err := try(p, req)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Zero(t, p.Stats().Idle)
}

// ka-fin-before-send: what arrived on an idle connection is seen at check-out.
func TestDeadIdleConnectionIsNotGivenOut(t *testing.T) {
	for name, end := range map[string]func(*rawtest.Conn){
		"fin":     func(c *rawtest.Conn) { c.FIN() },
		"rst":     func(c *rawtest.Conn) { c.RST() },
		"surplus": func(c *rawtest.Conn) { c.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil") },
	} {
		t.Run(name, func(t *testing.T) {
			idle, ended := make(chan bool), make(chan bool, 8)
			s := rawtest.Serve(t, func(c *rawtest.Conn) {
				for {
					if _, _, err := c.Request(); err != nil || !c.Send(ok) {
						return
					}
					select {
					case <-idle:
					case <-t.Context().Done():
						return
					}
					end(c)
					ended <- true
				}
			})
			p := newPool(t, s.Addr)
			for range 5 {
				body, a := get(t, p, "/")
				require.Equal(t, "ok", body)
				require.False(t, a.Reused)
				idle <- true
				await(t, ended)
				awaitArrival(t)
			}
			require.Equal(t, 5, s.Accepted())
		})
	}
}

// awaitArrival lets a packet cross the loopback: once a byte that was sent
// later on another connection has arrived, so has what was sent before.
func awaitArrival(t *testing.T) {
	t.Helper()
	s := rawtest.Serve(t, answer(ok))
	p := newPool(t, s.Addr)
	for range 3 {
		get(t, p, "/")
	}
}

// ka-close-on-first-byte: the upstream closes a reused connection as the next
// request arrives.
func TestClosedOnFirstByte(t *testing.T) {
	for name, end := range map[string]func(*rawtest.Conn){
		"close": func(c *rawtest.Conn) { c.Any() },
		"rst":   func(c *rawtest.Conn) { c.Any(); c.RST() },
		"read":  func(c *rawtest.Conn) { _, _, _ = c.Request() },
		"cut":   func(c *rawtest.Conn) { _, _, _ = c.Request(); c.Send("HTTP/1.1 2") },
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(name+" "+method, func(t *testing.T) {
				s := rawtest.Serve(t, func(c *rawtest.Conn) {
					if _, _, err := c.Request(); err != nil || !c.Send(ok) {
						return
					}
					end(c)
				})
				p := newPool(t, s.Addr)
				get(t, p, "/1")
				var body io.Reader
				if method == http.MethodPost {
					body = strings.NewReader("hello")
				}
				_, a, err := try(p, request(t, method, "/2", body))
				e := failed(t, err)
				require.ErrorIs(t, e, transport.ErrUpstreamClosed)
				require.Equal(t, transport.SourceUpstream, e.Source)
				require.Equal(t, transport.PhaseHeaders, e.Phase)
				require.True(t, e.Reused)
				require.True(t, e.Sent)
				require.False(t, e.Unprocessed)
				require.False(t, e.Timeout)
				require.Same(t, e, a.Err)
				require.Equal(t, 1, s.Accepted(), "one call is one attempt")
			})
		}
	}
}

func TestRefusedIsUnprocessed(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	s.Close()
	p := newPool(t, s.Addr)
	_, a, err := try(p, request(t, http.MethodPost, "/", strings.NewReader("hello")))
	e := failed(t, err)
	require.ErrorIs(t, e, transport.ErrConnect)
	require.ErrorIs(t, e, syscall.ECONNREFUSED)
	require.Equal(t, transport.PhaseDial, e.Phase)
	require.Equal(t, s.Addr, e.Endpoint)
	require.True(t, e.Unprocessed)
	require.False(t, e.Sent)
	require.Same(t, e, a.Err)
}

// ka-stale-pool-retry-walk: the connections that have been idle for longer go
// with the one that failed.
func TestFailureOfAReusedConnectionPurgesOlderOnes(t *testing.T) {
	const n = 5
	arrived, warm := make(chan bool, n), make(chan bool)
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		if _, _, err := c.Request(); err != nil {
			return
		}
		arrived <- true
		<-warm
		c.Send(ok)
		_, _, _ = c.Request()
	})
	p := newPool(t, s.Addr)
	done := make(chan error, n)
	for range n {
		req := request(t, http.MethodGet, "/", nil)
		go func() {
			resp, err := p.RoundTrip(req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
			}
			done <- err
		}()
	}
	for range n {
		await(t, arrived)
	}
	close(warm)
	for range n {
		require.NoError(t, await(t, done))
	}
	require.Equal(t, n, p.Stats().Idle)
	_, _, err := try(p, request(t, http.MethodGet, "/", nil))
	require.True(t, failed(t, err).Reused)
	require.Zero(t, p.Stats().Idle)
}

func TestFreshAttemptLeavesThePoolAlone(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	p := newPool(t, s.Addr, func(c *transport.Config) { c.MaxConnections = 1 })
	get(t, p, "/")
	a := &transport.Attempt{Number: 2, Fresh: true}
	req := request(t, http.MethodGet, "/", nil)
	resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), a)))
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.False(t, a.Reused)
	require.Equal(t, 2, s.Accepted(), "the idle one had to make room")
}

// ka-max-requests-recycle: the server says how many requests it takes on a
// connection, counting down or repeating the limit, and gets no more.
func TestKeepAliveMax(t *testing.T) {
	for name, hint := range map[string]func(n int) string{
		"counting down": func(n int) string { return strconv.Itoa(3 - n) },
		"repeated":      func(int) string { return "2" },
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, func(c *rawtest.Conn) {
				for n := 1; ; n++ {
					if _, _, err := c.Request(); err != nil {
						return
					}
					c.Send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60, max=" + hint(n) + "\r\nContent-Length: 2\r\n\r\nok")
				}
			})
			p := newPool(t, s.Addr)
			for i := range 9 {
				_, a := get(t, p, "/")
				require.Equal(t, uint64(1+i/3), a.ConnID, "three requests a connection")
			}
			require.Equal(t, 3, s.Accepted())
		})
	}
}
