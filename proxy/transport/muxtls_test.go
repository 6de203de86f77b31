package transport_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// either serves what the client has negotiated.
func either(tc *tls.Conn, r *bufio.Reader, raw *rawtest.Conn) {
	if tc.Handshake() != nil {
		return
	}
	if tc.ConnectionState().NegotiatedProtocol == "h2" {
		if h := rawtest.NewH2(tc); h != nil {
			echo(raw, h)
		}
		return
	}
	for serveTLS(tc, r, ok) {
	}
}

// The endpoint's ALPN decides what is spoken; a burst of first requests needs
// one handshake to learn it.
func TestProtocolByALPN(t *testing.T) {
	for name, c := range map[string]struct {
		pool     transport.Protocol
		server   []string
		want     string
		conns    int
		failures error
	}{
		"auto, both":     {transport.Auto, []string{"h2", "http/1.1"}, "/x", 1, nil},
		"auto, h1 only":  {transport.Auto, []string{"http/1.1"}, "ok", 0, nil},
		"auto, no ALPN":  {transport.Auto, nil, "ok", 0, nil},
		"h2":             {transport.HTTP2, []string{"h2", "http/1.1"}, "/x", 1, nil},
		"h2, no ALPN":    {transport.HTTP2, nil, "", 0, transport.ErrTLS},
		"h2, h1 only":    {transport.HTTP2, []string{"http/1.1"}, "", 0, transport.ErrTLS},
		"http1 has ALPN": {transport.HTTP1, []string{"h2", "http/1.1"}, "ok", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			handle, client := secure(t, tls.VersionTLS13, either, c.server...)
			s := rawtest.Serve(t, handle)
			p := newPool(t, s.Addr, client, func(cfg *transport.Config) { cfg.Protocol, cfg.MaxConnections = c.pool, 8 })
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					resp, a, err := try(p, request(t, http.MethodPost, "/x", nil))
					if c.failures != nil {
						e := failed(t, err)
						require.ErrorIs(t, e, c.failures)
						require.Equal(t, transport.PhaseTLS, e.Phase)
						require.True(t, e.Unprocessed)
						return
					}
					require.NoError(t, err)
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					require.Equal(t, c.want, string(body))
					require.Equal(t, uint16(tls.VersionTLS13), a.TLSVersion)
				})
			}
			wg.Wait()
			if c.conns > 0 {
				require.Equal(t, c.conns, s.Accepted())
			}
			if c.failures == nil {
				require.LessOrEqual(t, s.Accepted(), 9)
				require.Positive(t, p.Stats().Idle)
			}
		})
	}
}

// queued lets writes on an in-memory connection not wait for the reader: in
// HTTP/2 both sides may write at once.
type queued chan []byte

func (q queued) Write(p []byte) (int, error) {
	q <- bytes.Clone(p)
	return len(p), nil
}

// h2 serves HTTP/2 on the in-memory connection until script returns.
func (f *far) h2(script func(h *rawtest.H2)) {
	q := make(queued, 64)
	var wg sync.WaitGroup
	wg.Go(func() {
		for p := range q {
			_, _ = f.Conn.Write(p)
		}
	})
	if h := rawtest.NewH2(struct {
		io.Reader
		io.Writer
	}{f.r, q}); h != nil {
		script(h)
	}
	_ = f.Close()
	close(q)
	wg.Wait()
}

// ka-blackhole, h2-dead-conn-pinned: a connection whose peer has vanished is
// found out by a PING that nobody answers, and costs what it carries only.
func TestMuxPing(t *testing.T) {
	var dials atomic.Int32
	simulated(t, func(f *far) {
		first := dials.Add(1) == 1
		f.h2(func(h *rawtest.H2) {
			for {
				id, path := h.Request()
				if id == 0 || !h.Answer(id, path) {
					return
				}
				if first {
					f.hold() // the black hole
					return
				}
			}
		})
	}, func(t *testing.T, p *transport.Pool) {
		get(t, p, "/1")
		started := time.Now()
		_, a, err := try(p, request(t, http.MethodGet, "/2", nil))
		require.ErrorIs(t, failed(t, err), transport.ErrUpstreamClosed)
		require.True(t, a.Reused)
		require.LessOrEqual(t, time.Since(started), 13*time.Second)
		started = time.Now()
		body, _ := get(t, p, "/3")
		require.Equal(t, "/3", body)
		require.Zero(t, time.Since(started))
	}, func(c *transport.Config) {
		c.Protocol, c.PingAfter, c.PingTimeout = transport.HTTP2, 10*time.Second, 3*time.Second
		c.Timeouts = transport.Timeouts{}
	})
}

// Idle connections are closed when their time is up.
func TestMuxIdleTimeout(t *testing.T) {
	simulated(t, func(f *far) {
		f.h2(func(h *rawtest.H2) { echo(nil, h) })
	}, func(t *testing.T, p *transport.Pool) {
		get(t, p, "/")
		time.Sleep(59 * time.Second)
		_, a := get(t, p, "/")
		require.True(t, a.Reused)
		require.Equal(t, 59*time.Second, a.IdleAge)
		time.Sleep(59 * time.Second)
		require.Equal(t, 1, p.Stats().Idle)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, p.Stats().Idle)
		_, a = get(t, p, "/")
		require.False(t, a.Reused)
	}, func(c *transport.Config) { c.Protocol, c.IdleTimeout = transport.HTTP2, time.Minute })
}
