package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/policy/limit"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
)

// failing is a transport whose every attempt fails.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }
func (failing) Stats() transport.Stats                            { return transport.Stats{} }
func (failing) Purge()                                            {}
func (failing) Close() error                                      { return nil }

// TestErrorTable is what each error of an upstream becomes.
func TestErrorTable(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		class  string
		retry  string
	}{
		{transport.ErrPoolTimeout, 503, "pool_timeout", "1"},
		{transport.ErrPoolFull, 503, "pool_full", "1"},
		{transport.ErrPoolClosed, 503, "stopping", "1"},
		{limit.ErrTimeout, 503, "limit_timeout", "1"},
		{limit.ErrFull, 503, "limit_full", "1"},
		{upstream.ErrBreakerOpen, 503, "breaker_open", "3"},
		{upstream.ErrNoEndpoints, 503, "no_endpoint", "1"},
		{transport.ErrConnectTimeout, 504, "connect_timeout", ""},
		{transport.ErrTLSTimeout, 504, "tls_timeout", ""},
		{transport.ErrWriteTimeout, 504, "write_timeout", ""},
		{transport.ErrHeaderTimeout, 504, "headers_timeout", ""},
		{transport.ErrBodyIdleTimeout, 504, "body_timeout", ""},
		{transport.ErrPerTryTimeout, 504, "per_try_timeout", ""},
		{transport.ErrDeadline, 504, "deadline", ""},
		{transport.ErrInvalidRequest, 400, "request_invalid", ""},
		{fmt.Errorf("%w: %w", transport.ErrConnect, syscall.ECONNREFUSED), 502, "connect_refused", ""},
		{fmt.Errorf("%w: %w", transport.ErrConnect, syscall.EHOSTUNREACH), 502, "connect_failed", ""},
		{fmt.Errorf("%w: %w", transport.ErrConnect, syscall.EADDRNOTAVAIL), 503, "no_local_port", "1"},
		{fmt.Errorf("%w: %w", transport.ErrConnect, syscall.EMFILE), 503, "no_descriptor", "1"},
		{transport.ErrTLS, 502, "tls_failed", ""},
		{transport.ErrCertificate, 502, "tls_certificate", ""},
		{transport.ErrMalformed, 502, "upstream_malformed", ""},
		{transport.ErrResponseHeaderTooLarge, 502, "upstream_head_too_large", ""},
		{transport.ErrUpstreamClosed, 502, "upstream_closed", ""},
		{fmt.Errorf("%w: %w", transport.ErrUpstreamClosed, syscall.ECONNRESET), 502, "upstream_reset", ""},
		{transport.ErrStreamReset, 502, "upstream_reset", ""},
		{transport.ErrWrite, 502, "upstream_write_failed", ""},
		{errors.New("something else"), 502, "upstream_failed", ""},
	} {
		t.Run(c.class, func(t *testing.T) {
			err := &transport.Error{Source: transport.SourceUpstream, Phase: transport.PhaseHeaders, Sent: true, Err: c.err}
			if c.retry == "3" {
				err.RetryAfter = 2500 * time.Millisecond
			}
			r := start(t, "127.0.0.1:1", func(_ *config.Config, p *proxy.Parts) {
				p.Transport = func(transport.Config) transport.RoundTripper { return failing{err} }
			})
			cl := r.dial()
			for _, method := range []string{"POST", "HEAD"} { // and the connection stays usable
				cl.sendf("%s / HTTP/1.1\nHost: x\n\n", method)
				resp, body := cl.response(method)
				require.Equal(t, c.status, resp.StatusCode)
				require.Equal(t, c.class, resp.Header.Get(proxy.HeaderError))
				require.Equal(t, c.retry, resp.Header.Get("Retry-After"))
				if method == "POST" {
					require.Equal(t, fmt.Sprintf("%s: %s\n", http.StatusText(c.status), c.class), body)
				}
			}
		})
	}
}

// patient never gives a phase its time out but the one a case sets.
func patient(c *config.Config) *config.Upstream { return c.Upstreams["api"] }

// TestPhaseTimeouts lets one phase hang after the other, on real sockets.
func TestPhaseTimeouts(t *testing.T) {
	const short = 100 * time.Millisecond
	silent := func(w *wire) { _, _ = w.rest() }
	for name, c := range map[string]struct {
		backend func(*wire)
		set     option
		send    string
		status  int
		class   string
	}{
		"connect": {silent, func(c *config.Config, p *proxy.Parts) {
			patient(c).Timeouts.Connect = short
			p.Transport = func(tc transport.Config) transport.RoundTripper {
				tc.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return transport.New(tc)
			}
		}, "GET / HTTP/1.1\nHost: x\n\n", 504, "connect_timeout"},
		"headers": {silent, func(c *config.Config, _ *proxy.Parts) {
			patient(c).Timeouts.Headers = short
		}, "GET / HTTP/1.1\nHost: x\n\n", 504, "headers_timeout"},
		"deadline": {silent, func(c *config.Config, _ *proxy.Parts) {
			patient(c).Deadline = short
		}, "GET / HTTP/1.1\nHost: x\n\n", 504, "deadline"},
		"per try": {silent, func(c *config.Config, _ *proxy.Parts) {
			patient(c).Timeouts.PerTry = short
		}, "POST / HTTP/1.1\nHost: x\n\n", 504, "per_try_timeout"},
		"write": {func(w *wire) { w.await(nil) }, func(c *config.Config, _ *proxy.Parts) {
			patient(c).Timeouts.Write = short
		}, "POST / HTTP/1.1\nHost: x\nContent-Length: 33554432\n\n" + strings.Repeat("x", 32<<20), 504, "write_timeout"},
		"client stalls": {silent, func(c *config.Config, _ *proxy.Parts) {
			patient(c).Deadline = short
		}, "POST / HTTP/1.1\nHost: x\nContent-Length: 10\n\nabc", 408, "request_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, backend(t, c.backend), c.set)
			cl := r.dial()
			go func() { _, _ = io.WriteString(cl, strings.ReplaceAll(c.send, "\n", "\r\n")) }()
			resp, _ := cl.response("GET")
			require.Equal(t, c.status, resp.StatusCode)
			require.Equal(t, c.class, resp.Header.Get(proxy.HeaderError))
			_ = cl.Close()
			eventually(t, func() bool { e := r.p.Pools().Endpoints[0]; return e.Leased+e.Dialing+e.Waiting == 0 }, "settled")
		})
	}
}

// TestBodyStall cuts a response whose body stalls, and lets one pass that
// only trickles.
func TestBodyStall(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		if strings.HasPrefix(w.head(), "GET /stall") {
			w.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n")
			_, _ = w.rest()
			return
		}
		w.send("HTTP/1.1 200 OK\nContent-Length: 8\n\n")
		tick := time.NewTicker(60 * time.Millisecond)
		defer tick.Stop()
		for range 8 { // longer than the timeout in all
			<-tick.C
			w.send("x")
		}
	}), func(c *config.Config, _ *proxy.Parts) { c.Upstreams["api"].Timeouts.BodyIdle = 300 * time.Millisecond })
	cl := r.dial()
	cl.send("GET /stall HTTP/1.1\nHost: x\n\n")
	resp, err := http.ReadResponse(cl.br, nil)
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.Equal(t, "hello", string(got))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	eventually(t, func() bool { return strings.Contains(r.log.String(), `"error":"body_timeout"`) }, "log")

	cl = r.dial()
	cl.send("GET /trickle HTTP/1.1\nHost: x\n\n")
	_, body := cl.response("GET")
	require.Equal(t, "xxxxxxxx", body)
}

// TestPoolWaitIsBounded fills a pool of one.
func TestPoolWaitIsBounded(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		w.head()
		close(asked)
		w.await(release)
		w.send("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
	}), func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["api"].Pool = config.Pool{MaxConnections: 1, MaxIdle: 1, IdleTimeout: time.Minute, Wait: 50 * time.Millisecond}
	})
	first := r.dial()
	first.send("GET / HTTP/1.1\nHost: x\n\n")
	take(t, asked)
	second := r.dial()
	second.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, _ := second.response("GET")
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, "pool_timeout", resp.Header.Get(proxy.HeaderError))
	close(release)
	resp, _ = first.response("GET")
	require.Equal(t, 200, resp.StatusCode)
}

// TestBreakerOpens trips the breaker and sees it answer in the backend's place.
func TestBreakerOpens(t *testing.T) {
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		w.send("HTTP/1.1 500 Oh\nContent-Length: 0\n\n")
	}), func(c *config.Config, _ *proxy.Parts) {
		c.Upstreams["api"].Breaker = config.Breaker{Enabled: true, FailureRate: 0.5, MinFailures: 3, Window: time.Minute, OpenFor: time.Minute, HalfOpen: 1}
	})
	cl := r.dial()
	var statuses []int
	for range 5 {
		cl.send("GET / HTTP/1.1\nHost: x\n\n")
		resp, _ := cl.response("GET")
		statuses = append(statuses, resp.StatusCode)
		if resp.StatusCode == 503 {
			require.Equal(t, "breaker_open", resp.Header.Get(proxy.HeaderError))
			require.Equal(t, "60", resp.Header.Get("Retry-After"))
		}
	}
	require.Equal(t, []int{500, 500, 500, 503, 503}, statuses)
	require.Equal(t, "open", r.p.Pools().Endpoints[0].Breaker)
}

func TestNoRouteAndNoConnect(t *testing.T) {
	r := start(t, ok(t, "ok"), func(c *config.Config, _ *proxy.Parts) { c.Routes[0].Path = "/api/" })
	cl := r.dial()
	cl.send("GET /other HTTP/1.1\nHost: x\n\n")
	resp, body := cl.response("GET")
	require.Equal(t, 404, resp.StatusCode)
	require.Equal(t, "Not Found: no_route\n", body)
	cl.send("CONNECT x:80 HTTP/1.1\nHost: x:80\n\n")
	resp, err := http.ReadResponse(cl.br, &http.Request{Method: "CONNECT"})
	require.NoError(t, err)
	require.Equal(t, 405, resp.StatusCode)
	require.Contains(t, resp.Header.Get("Allow"), "GET")
	require.Zero(t, r.p.Pools().Endpoints[0].Dialed)
}

// TestRecovery is the one retry every request has: a reused connection that
// dies under an idempotent request.
func TestRecovery(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		w.request()
		w.sendf("HTTP/1.1 200 OK\nContent-Length: 1\n\n%d", w.n)
		if w.n == 1 {
			w.request() // and dies with it
			return
		}
		w.request()
		w.sendf("HTTP/1.1 200 OK\nContent-Length: 1\n\n%d", w.n)
		_, _ = w.rest()
	}))
	cl := r.dial()
	for _, want := range []string{"1", "2"} {
		cl.send("PUT / HTTP/1.1\nHost: x\nContent-Length: 4\n\nbody")
		resp, body := cl.response("PUT")
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, want, body)
	}
	eventually(t, func() bool { return strings.Contains(r.log.String(), `"attempts":2`) }, "log")
}

// TestPostIsNotRepeated is the other side of it (RFC 9110 §9.2.2).
func TestPostIsNotRepeated(t *testing.T) {
	seen := make(chan string, 8)
	r := start(t, backend(t, func(w *wire) {
		for i := range 2 {
			req, _ := w.request()
			seen <- req.RequestURI
			if i == 0 {
				w.send("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
			}
		}
	}))
	cl := r.dial()
	cl.send("POST /1 HTTP/1.1\nHost: x\nContent-Length: 4\n\nbody")
	cl.response("POST")
	cl.send("POST /2 HTTP/1.1\nHost: x\nContent-Length: 4\n\nbody")
	resp, _ := cl.response("POST")
	require.Equal(t, 502, resp.StatusCode)
	require.Equal(t, "upstream_closed", resp.Header.Get(proxy.HeaderError))
	require.Equal(t, "/1", take(t, seen))
	require.Equal(t, "/2", take(t, seen))
	require.Empty(t, seen)
}
