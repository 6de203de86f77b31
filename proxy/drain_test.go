package proxy_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

func announcing(d time.Duration) option {
	return func(c *config.Config, _ *proxy.Parts) { c.Drain.Announce = d }
}

// TestStopLosesNothing has keep-alive clients POST in a loop while the proxy
// stops. Every request on an open connection is answered, until the answer
// says that the connection closes; every id answered ran once.
func TestStopLosesNothing(t *testing.T) {
	for round := range 2 {
		var ran sync.Map
		r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
			n, _ := ran.LoadOrStore(req.URL.Path, new(atomic.Int32))
			n.(*atomic.Int32).Add(1)
			w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
		}), announcing(time.Second))
		var wg sync.WaitGroup
		var served, announced atomic.Int32
		warm := make(chan struct{}, 64)
		for c := range 8 {
			wg.Go(func() {
				for conn := 0; ; conn++ {
					nc, err := net.Dial("tcp", r.addr)
					if err != nil {
						return // it no longer accepts: nobody was promised anything
					}
					w := newWire(t, nc, 0)
					for i := 0; ; i++ {
						path := strings.Join([]string{"", string(rune('a' + c)), string(rune('0' + conn%10)), time.Now().Format("150405.000000000")}, "/")
						w.sendf("POST %s HTTP/1.1\nHost: x\nContent-Length: 4\n\nbody", path)
						resp, body := w.response("POST")
						if resp.StatusCode != 200 || body != "ok" {
							t.Errorf("%s: %d %q", path, resp.StatusCode, body)
						}
						if n, found := ran.Load(path); !found || n.(*atomic.Int32).Load() != 1 {
							t.Errorf("%s did not run once", path)
						}
						if served.Add(1); i == 2 {
							select {
							case warm <- struct{}{}:
							default:
							}
						}
						if resp.Close {
							announced.Add(1)
							w.eof()
							_ = w.Close()
							break
						}
					}
				}
			})
		}
		for range 8 {
			take(t, warm)
		}
		r.stop()
		wg.Wait()
		r.wait()
		require.GreaterOrEqual(t, announced.Load(), int32(8), "round %d", round)
		require.Greater(t, served.Load(), int32(24))
	}
}

// TestStopFinishesWhatIsUnderWay: in-flight answers arrive whole, with the
// announcement, and a new connection during the announcement is served.
func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	asked, release := make(chan struct{}, 2), make(chan struct{})
	r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
		if req.URL.Path == "/slow" {
			asked <- struct{}{}
			w.await(release)
		}
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	}), announcing(300*time.Millisecond))
	slow, idle := r.dial(), r.dial()
	slow.send("GET /slow HTTP/1.1\nHost: x\n\n")
	take(t, asked)
	idle.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, _ := idle.response("GET")
	require.False(t, resp.Close)
	fresh := r.dial() // has sent nothing yet

	code, body := r.get("/healthz")
	require.Equal(t, 200, code)
	require.Equal(t, "ok\n", body)
	r.stop()
	eventually(t, func() bool { code, body = r.get("/healthz"); return code == 503 }, "not ready")
	require.Equal(t, "draining\n", body)

	late := r.dial() // still accepted
	late.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, _ = late.response("GET")
	require.True(t, resp.Close)
	late.eof()
	idle.send("POST / HTTP/1.1\nHost: x\nContent-Length: 1\n\nx") // and idle ones still served
	resp, _ = idle.response("POST")
	require.Equal(t, 200, resp.StatusCode)
	require.True(t, resp.Close)
	idle.eof()

	eventually(t, func() bool {
		probe, err := net.Dial("tcp", r.addr)
		if err == nil {
			_ = probe.Close()
		}
		return err != nil
	}, "no longer accepts")
	fresh.send("GET / HTTP/1.1\nHost: x\n\n") // connected before: answered as long as others are
	resp, _ = fresh.response("GET")
	require.Equal(t, 200, resp.StatusCode)
	fresh.eof()
	eventually(t, func() bool { return r.p.Pools().Connections == 1 }, "only the slow one is left")
	close(release)
	resp, got := slow.response("GET")
	require.Equal(t, "ok", got)
	require.True(t, resp.Close)
	slow.eof()
	r.wait()
}

// TestStopHalfClosesIdleConnections: a client that is idle sees a FIN, and
// what it sends after that never runs.
func TestStopHalfClosesIdleConnections(t *testing.T) {
	var ran atomic.Int32
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		ran.Add(1)
		w.send("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
	}))
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	cl.response("GET")
	r.stop()
	cl.eof()
	cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 1\n\nx") // too late, and no RST meanwhile
	require.NoError(t, cl.Close())
	r.wait()
	require.Equal(t, int32(1), ran.Load())
}

// TestStopCutsWhatDoesNotEnd: drain.timeout is the end of everything.
func TestStopCutsWhatDoesNotEnd(t *testing.T) {
	asked := make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		if strings.HasPrefix(w.head(), "GET /tunnel") {
			w.send("HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: foo\n\n")
		} else {
			w.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\nx\n")
			close(asked)
		}
		_, _ = w.rest()
	}), func(c *config.Config, _ *proxy.Parts) { c.Drain.Timeout = 200 * time.Millisecond })
	stream, tunnel, partial := r.dial(), r.dial(), r.dial()
	tunnel.send("GET /tunnel HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: foo\n\n")
	tunnel.head()
	stream.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, err := http.ReadResponse(stream.br, nil)
	require.NoError(t, err)
	take(t, asked)
	partial.send("GET / HTTP/1.1\nHos")
	eventually(t, func() bool { return r.p.Pools().Connections == 3 }, "accepted")
	r.stop()
	r.wait()
	_, err = io.ReadAll(resp.Body)
	require.Error(t, err, "a stream that is cut does not look whole")
	_, _ = tunnel.rest()
	require.Equal(t, 2, strings.Count(r.log.String(), `"aborted":true`), r.log.String())
}

// TestCutEndsAStopAtOnce is the second signal.
func TestCutEndsAStopAtOnce(t *testing.T) {
	asked := make(chan struct{})
	r := start(t, backend(t, func(w *wire) {
		w.head()
		close(asked)
		_, _ = w.rest()
	}), announcing(time.Minute), func(c *config.Config, _ *proxy.Parts) { c.Drain.Timeout = 2 * time.Minute })
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	take(t, asked)
	r.stop()
	eventually(t, func() bool { return r.p.Pools().Draining }, "draining")
	r.p.Cut()
	r.wait()
}

// TestBacklogIsServed: connections the kernel has greeted before the stop are
// served, though nobody had accepted them yet.
func TestBacklogIsServed(t *testing.T) {
	gate := make(chan struct{})
	r := start(t, ok(t, "ok"), func(_ *config.Config, p *proxy.Parts) {
		p.Listener = func(ln net.Listener) net.Listener { return &gated{TCPListener: ln.(*net.TCPListener), gate: gate} }
	})
	var clients []*wire
	for range 10 {
		cl := r.dial()
		cl.send("GET / HTTP/1.1\nHost: x\n\n")
		clients = append(clients, cl)
	}
	r.stop()
	eventually(t, func() bool { return r.p.Pools().Draining }, "draining")
	close(gate)
	for _, cl := range clients {
		_, body := cl.response("GET")
		require.Equal(t, "ok", body)
	}
	r.wait()
}

// gated does not accept before its gate opens.
type gated struct {
	*net.TCPListener
	gate chan struct{}
}

func (g *gated) Accept() (net.Conn, error) {
	<-g.gate
	return g.TCPListener.Accept()
}

// TestDrainStepsCanBeChanged shows the seam: the order as data.
func TestDrainStepsCanBeChanged(t *testing.T) {
	var names []string
	var ran atomic.Bool
	r := start(t, ok(t, "ok"), func(_ *config.Config, p *proxy.Parts) {
		p.Drain = func(steps []proxy.Step) []proxy.Step {
			for _, s := range steps {
				names = append(names, s.Name)
			}
			return slices.Insert(steps, 1, proxy.Step{Name: "mine", Run: func(context.Context) error { ran.Store(true); return nil }})
		}
	})
	require.Equal(t, []string{"announce", "stop-accepting", "finish", "close-idle"}, names)
	r.stop()
	r.wait()
	require.True(t, ran.Load())
}

// TestListenErrors says which address it was.
func TestListenErrors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	for _, field := range []string{"listen", "admin"} {
		cfg := settings("127.0.0.1:1")
		cfg.Telemetry.AccessLog = "off"
		if field == "listen" {
			cfg.Listen = ln.Addr().String()
		} else {
			cfg.Admin = ln.Addr().String()
		}
		p, err := proxy.New(cfg, proxy.Parts{})
		require.NoError(t, err)
		err = p.Serve(t.Context())
		require.ErrorContains(t, err, ln.Addr().String())
		require.ErrorContains(t, err, "address already in use")
	}
	_, err = proxy.New(config.Default(), proxy.Parts{})
	require.ErrorIs(t, err, config.ErrInvalid)
}
