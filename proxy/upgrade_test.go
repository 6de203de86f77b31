package proxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/handover"
)

// notice is how long clients have to learn that their connection will end. One
// that keeps its connection and has asked nothing in all that time may write
// into its end, which no HTTP/1.1 server can help; so it is long for a client
// that only waits for a CPU.
const notice = 2 * time.Second

// heirs starts a successor in this process for each Upgrade.
type heirs struct {
	t        *testing.T
	endpoint string
	mu       sync.Mutex
	list     []*running
}

func (h *heirs) parts(p *proxy.Parts) { p.Successor = h.start }

func (h *heirs) start(_ context.Context, sockets []handover.Socket) error {
	var mine []handover.Socket
	for _, s := range sockets {
		ln, err := s.Listen()
		if err != nil {
			return err
		}
		copied, err := handover.NewSocket(s.Name, s.Address, ln) // as exec would
		if err := errors.Join(err, ln.Close()); err != nil {
			return err
		}
		mine = append(mine, copied)
	}
	ready := make(chan struct{})
	r := start(h.t, h.endpoint, func(_ *config.Config, p *proxy.Parts) {
		h.parts(p)
		p.Sockets, p.Ready = mine, func() { close(ready) }
	}, announcing(notice))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, r)
	<-ready
	return nil
}

// TestUpgradeUnderLoad hands the sockets over three times. Meanwhile clients
// that keep their connections and clients that open one for each request send
// without a pause: no connection is refused, no request fails.
func TestUpgradeUnderLoad(t *testing.T) {
	var ran sync.Map
	end := answering(t, func(w *wire, r *http.Request, _ string) {
		w.extend()
		n, _ := ran.LoadOrStore(r.URL.Path, new(atomic.Int32))
		n.(*atomic.Int32).Add(1)
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	})
	h := &heirs{t: t, endpoint: end}
	first := start(t, end, func(_ *config.Config, p *proxy.Parts) { h.parts(p) }, announcing(notice))
	var stop atomic.Bool
	var served, seq atomic.Int64
	var clients sync.WaitGroup
	defer func() {
		stop.Store(true)
		clients.Wait()
	}()
	for c := range 6 {
		clients.Go(func() {
			for !stop.Load() {
				nc, err := net.Dial("tcp", first.addr)
				if err != nil {
					t.Errorf("refused: %v", err)
					return
				}
				w := newWire(t, nc, 0)
				for keep := true; keep && !stop.Load(); {
					path := "/" + time.Now().Format("150405.000000000") + "/" + string(rune('a'+c)) + "/" + string(rune('0'+seq.Add(1)%10))
					w.extend()
					w.sendf("POST %s HTTP/1.1\nHost: x\nContent-Length: 4\n\nbody", path)
					resp, body := w.response("POST")
					if n, found := ran.Load(path); resp.StatusCode != 200 || body != "ok" || !found || n.(*atomic.Int32).Load() != 1 {
						t.Errorf("%s: %d %q", path, resp.StatusCode, body)
					}
					served.Add(1)
					keep = c%2 == 0 && !resp.Close
				}
				_ = w.Close()
			}
		})
	}
	serving := first
	for range 3 {
		seen := served.Load()
		eventually(t, func() bool { return served.Load() > seen+100 }, "load")
		require.NoError(t, serving.p.Upgrade(t.Context()))
		require.ErrorIs(t, serving.p.Upgrade(t.Context()), proxy.ErrStopping)
		serving.wait() // the old one ends by itself
		serving = h.list[len(h.list)-1]
		require.Equal(t, first.addr, serving.addr)
		require.Equal(t, first.admin, serving.admin)
		code, _ := serving.get("/healthz")
		require.Equal(t, 200, code)
	}
	seen := served.Load()
	eventually(t, func() bool { return served.Load() > seen+100 }, "load")
}

// TestUpgradeFinishesWhatIsUnderWay, on the old process, and what waits in the
// backlog goes to the new one.
func TestUpgradeFinishesWhatIsUnderWay(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	end := answering(t, func(w *wire, r *http.Request, _ string) {
		if r.URL.Path == "/slow" {
			close(asked)
			w.await(release)
		}
		w.send("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	})
	h := &heirs{t: t, endpoint: end}
	r := start(t, end, func(_ *config.Config, p *proxy.Parts) { h.parts(p) })
	slow := r.dial()
	slow.send("GET /slow HTTP/1.1\nHost: x\n\n")
	take(t, asked)
	code, body := r.post("/upgrade")
	require.Equal(t, 200, code, body)
	require.JSONEq(t, `{"ok": true}`, body)
	for range 20 {
		require.Equal(t, "ok", h.list[0].dial().ask("/"))
	}
	require.Equal(t, 1, r.p.Pools().Connections, "only the slow one is left to the old")
	close(release)
	resp, got := slow.response("GET")
	require.Equal(t, "ok", got)
	require.True(t, resp.Close)
	r.wait()
}

// TestUpgradeThatFails changes nothing, and may be tried again.
func TestUpgradeThatFails(t *testing.T) {
	boom := errors.New("boom")
	fail := true
	end := ok(t, "ok")
	h := &heirs{t: t, endpoint: end}
	r := start(t, end, func(_ *config.Config, p *proxy.Parts) {
		p.Successor = func(ctx context.Context, sockets []handover.Socket) error {
			if fail {
				return boom
			}
			return h.start(ctx, sockets)
		}
	})
	cl := r.dial()
	require.ErrorIs(t, r.p.Upgrade(t.Context()), boom)
	code, body := r.post("/upgrade")
	require.Equal(t, 500, code)
	require.Contains(t, body, "boom")
	require.Equal(t, "ok", cl.ask("/"))
	require.Equal(t, "ok", r.dial().ask("/"))
	fail = false
	require.NoError(t, r.p.Upgrade(t.Context()))
	require.Equal(t, "ok", r.dial().ask("/"))
}

// TestStopGivesUpAnUpgrade: whoever stops the proxy does not wait for a
// successor that does not come, and the sockets are closed.
func TestStopGivesUpAnUpgrade(t *testing.T) {
	begun := make(chan struct{})
	r := start(t, ok(t, "ok"), func(_ *config.Config, p *proxy.Parts) {
		p.Successor = func(ctx context.Context, _ []handover.Socket) error {
			close(begun)
			<-ctx.Done()
			return context.Cause(ctx)
		}
	})
	failed := make(chan error, 1)
	go func() { failed <- r.p.Upgrade(context.WithoutCancel(t.Context())) }()
	take(t, begun)
	require.ErrorIs(t, r.p.Upgrade(t.Context()), proxy.ErrUpgrading)
	r.stop()
	require.ErrorIs(t, take(t, failed), proxy.ErrStopping)
	r.wait()
	_, err := net.Dial("tcp", r.addr)
	require.Error(t, err)
}

func TestUpgradeNeedsSomebody(t *testing.T) {
	r := start(t, ok(t, "ok"))
	require.ErrorIs(t, r.p.Upgrade(t.Context()), proxy.ErrNoSuccessor)
	code, _ := r.post("/upgrade")
	require.Equal(t, 404, code)
	cfg := settings(r.endpoint)
	cfg.Telemetry.AccessLog = "off"
	p, err := proxy.New(cfg, proxy.Parts{Successor: func(context.Context, []handover.Socket) error { return nil }})
	require.NoError(t, err)
	require.ErrorIs(t, p.Upgrade(t.Context()), proxy.ErrNoSockets)
	require.NoError(t, p.Close())
}

// TestInheritedSocketThatNobodyWants is closed: its clients must not wait for
// a process that will never accept them.
func TestInheritedSocketThatNobodyWants(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s, err := handover.NewSocket("listen", ln.Addr().String(), ln)
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	c, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err, "it lives on in the Socket")
	r := start(t, ok(t, "ok"), func(_ *config.Config, p *proxy.Parts) { p.Sockets = []handover.Socket{s} })
	require.NotEqual(t, ln.Addr().String(), r.addr)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, io.EOF)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, c.Close())
}
