package transport_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
)

// to-*: each phase that hangs ends at its own timeout, and says which it was.
func TestPhaseTimeouts(t *testing.T) {
	stall := func(f *far) { f.hold() }
	for name, c := range map[string]struct {
		upstream func(*far)
		body     io.Reader
		edit     func(*transport.Config)
		want     error
		phase    transport.Phase
		sent     bool
	}{
		"connect": {stall, nil, func(c *transport.Config) {
			c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
			}
		}, transport.ErrConnectTimeout, transport.PhaseDial, false},
		"tls": {stall, nil, func(c *transport.Config) {
			c.TLS, c.Timeouts.TLS = &tls.Config{}, bound
		}, transport.ErrTLSTimeout, transport.PhaseTLS, false},
		"headers":          {stall, nil, nil, transport.ErrHeaderTimeout, transport.PhaseHeaders, true},
		"headers, partial": {func(f *far) { f.request(); f.send("HTTP/1.1 200 OK\r\nX:"); f.hold() }, nil, nil, transport.ErrHeaderTimeout, transport.PhaseHeaders, true},
		"headers, upload":  {stall, strings.NewReader("hello"), nil, transport.ErrHeaderTimeout, transport.PhaseHeaders, true},
		"write":            {func(f *far) { _, _ = f.head(); time.Sleep(time.Minute) }, &endless{limit: 8 << 20}, nil, transport.ErrWriteTimeout, transport.PhaseWrite, true},
		"write, nothing":   {func(*far) { time.Sleep(time.Minute) }, nil, nil, transport.ErrWriteTimeout, transport.PhaseWrite, false},
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, c.upstream, func(t *testing.T, p *transport.Pool) {
				started := time.Now()
				_, a, err := try(p, request(t, http.MethodPost, "/", c.body))
				e := failed(t, err)
				require.ErrorIs(t, e, c.want)
				require.Equal(t, c.phase, e.Phase)
				require.Equal(t, transport.SourceUpstream, e.Source)
				require.True(t, e.Timeout)
				require.Equal(t, c.sent, e.Sent)
				require.Equal(t, !c.sent, e.Unprocessed)
				require.Same(t, e, a.Err)
				took := time.Since(started)
				require.GreaterOrEqual(t, took, bound)
				require.LessOrEqual(t, took, 2*bound) // a write that made some progress has begun anew
				require.Zero(t, p.Stats().Leased+p.Stats().Idle)
			}, func(cfg *transport.Config) {
				if c.edit != nil {
					c.edit(cfg)
				}
			})
		})
	}
}

// The head's time starts when the request is complete, and interim responses
// do not prolong it.
func TestHeaderTimeoutStartsAfterTheUpload(t *testing.T) {
	simulated(t, func(f *far) { f.request(); time.Sleep(bound - time.Second); f.send(ok); f.hold() }, func(t *testing.T, p *transport.Pool) {
		r, w := io.Pipe()
		go func() {
			for range 5 {
				time.Sleep(bound - time.Second)
				_, _ = io.WriteString(w, "x")
			}
			_ = w.Close()
		}()
		resp, _, err := try(p, request(t, http.MethodPost, "/", r))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	})
}

func TestInterimResponsesDoNotProlongTheHeaderTimeout(t *testing.T) {
	simulated(t, func(f *far) {
		f.request()
		for f.send("HTTP/1.1 102 Processing\r\n\r\n") {
			time.Sleep(time.Second)
		}
	}, func(t *testing.T, p *transport.Pool) {
		started := time.Now()
		_, _, err := try(p, request(t, http.MethodGet, "/", nil))
		require.ErrorIs(t, err, transport.ErrHeaderTimeout)
		require.Equal(t, bound, time.Since(started))
	})
}

// A peer that takes a little at a time is slow, not gone.
func TestWriteProgressIsEnough(t *testing.T) {
	simulated(t, func(f *far) {
		if _, err := f.head(); err != nil {
			return
		}
		few := make([]byte, 700)
		for n := f.r.Buffered(); n < 10_000; {
			time.Sleep(bound - time.Second)
			m, err := f.Read(few) // not through the buffer, which takes more
			n += m
			if err != nil {
				break
			}
		}
		f.send(ok)
		f.hold()
	}, func(t *testing.T, p *transport.Pool) {
		req := request(t, http.MethodPut, "/", &endless{limit: 100_000})
		req.ContentLength = 10_000
		started := time.Now()
		resp, _, err := try(p, req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Greater(t, time.Since(started), 2*bound)
	})
}

// to-midbody-stall: silence ends a body, slowness does not.
func TestBodyIdleTimeout(t *testing.T) {
	for name, head := range map[string]string{
		"chunked": chunkedHead + "5\r\nhello\r\n",
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
		"close":   "HTTP/1.1 200 OK\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, func(f *far) { f.request(); f.send(head); f.hold() }, func(t *testing.T, p *transport.Pool) {
				resp, a, err := try(p, request(t, http.MethodGet, "/", nil))
				require.NoError(t, err)
				started := time.Now()
				body, err := io.ReadAll(resp.Body)
				e := failed(t, err)
				require.ErrorIs(t, e, transport.ErrBodyIdleTimeout)
				require.Equal(t, transport.PhaseBody, e.Phase)
				require.Equal(t, transport.SourceUpstream, e.Source)
				require.True(t, e.Timeout)
				require.Equal(t, "hello", string(body))
				require.Equal(t, bound, time.Since(started))
				require.Same(t, e, a.Err)
			})
		})
	}
}

func TestTrickleSurvives(t *testing.T) {
	simulated(t, func(f *far) {
		f.request()
		f.send(chunkedHead)
		for range 10 {
			time.Sleep(bound - time.Second)
			f.send("1\r\nx\r\n")
		}
		f.send("0\r\n\r\n")
		f.hold()
	}, func(t *testing.T, p *transport.Pool) {
		body, _ := get(t, p, "/")
		require.Equal(t, strings.Repeat("x", 10), body)
		require.Equal(t, 1, p.Stats().Idle)
		time.Sleep(time.Hour) // no deadline is left behind
		_, a := func() (string, *transport.Attempt) {
			resp, a, err := try(p, request(t, http.MethodGet, "/", nil))
			require.Error(t, err)
			require.Nil(t, resp)
			return "", a
		}()
		require.True(t, a.Reused)
	})
}

// pool-dirty-after-timeout: the late answer goes to nobody.
func TestLateAnswerGoesToNobody(t *testing.T) {
	simulated(t, func(f *far) {
		for {
			req, err := f.head()
			if err != nil {
				return
			}
			if req.URL.Path == "/slow" {
				time.Sleep(2 * bound)
			}
			body := strings.TrimPrefix(req.URL.Path, "/")
			if !f.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body) {
				return
			}
		}
	}, func(t *testing.T, p *transport.Pool) {
		body, _ := get(t, p, "/warm")
		require.Equal(t, "warm", body)
		_, a, err := try(p, request(t, http.MethodGet, "/slow", nil))
		require.True(t, a.Reused)
		require.ErrorIs(t, err, transport.ErrHeaderTimeout)
		for range 3 {
			body, a := get(t, p, "/fast")
			require.Equal(t, "fast", body)
			require.NotEqual(t, uint64(1), a.ConnID)
			time.Sleep(bound)
		}
	}, func(c *transport.Config) { c.MaxConnections = 1 })
}
