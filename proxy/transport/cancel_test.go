package transport_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// A client that leaves ends the attempt in whatever phase it is.
func TestCancelInEachPhase(t *testing.T) {
	hang := func(c *transport.Config) {
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	for name, c := range map[string]struct {
		upstream func(*far)
		body     io.Reader
		edit     func(*transport.Config)
		phase    transport.Phase
	}{
		"connect": {(*far).hold, nil, hang, transport.PhaseDial},
		"headers": {(*far).hold, nil, nil, transport.PhaseHeaders},
		"write":   {func(f *far) { _, _ = f.head(); time.Sleep(time.Hour) }, &endless{limit: 1 << 20}, nil, transport.PhaseWrite},
		"upload":  {(*far).hold, nil, nil, transport.PhaseWrite},
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, c.upstream, func(t *testing.T, p *transport.Pool) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				body := c.body
				if name == "upload" {
					body = newStalled() // of this bubble
				}
				_, a, err := try(p, request(t, http.MethodPost, "/", body).WithContext(ctx))
				e := failed(t, err)
				require.ErrorIs(t, e, transport.ErrClientGone)
				require.Equal(t, transport.SourceClient, e.Source)
				require.Equal(t, c.phase, e.Phase)
				require.False(t, e.Timeout)
				require.Same(t, e, a.Err)
				require.Zero(t, p.Stats().Leased+p.Stats().Dialing)
			}, func(cfg *transport.Config) {
				cfg.Timeouts = transport.Timeouts{}
				if c.edit != nil {
					c.edit(cfg)
				}
			})
		})
	}
}

func TestCancelWithinABody(t *testing.T) {
	simulated(t, func(f *far) { f.request(); f.send(chunkedHead + "5\r\nhello\r\n"); f.hold() }, func(t *testing.T, p *transport.Pool) {
		ctx, cancel := context.WithCancel(t.Context())
		resp, a, err := try(p, request(t, http.MethodGet, "/", nil).WithContext(ctx))
		require.NoError(t, err)
		time.AfterFunc(time.Second, cancel)
		body, err := io.ReadAll(resp.Body)
		e := failed(t, err)
		require.Equal(t, "hello", string(body))
		require.Equal(t, transport.SourceClient, e.Source)
		require.Equal(t, transport.PhaseBody, e.Phase)
		require.Same(t, e, a.Err)
		require.Zero(t, p.Stats().Leased)
	})
}

func TestCancelledBeforeItBegins(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	p := newPool(t, s.Addr)
	_, _, err := try(p, request(t, http.MethodGet, "/", nil).WithContext(cancelled(t.Context())))
	e := failed(t, err)
	require.Equal(t, transport.SourceClient, e.Source)
	require.True(t, e.Unprocessed)
	require.Zero(t, s.Accepted())
}

// pool-body-not-closed: closing early frees the slot, also under a Read.
func TestCloseWithinABody(t *testing.T) {
	for _, reading := range []bool{false, true} {
		simulated(t, func(f *far) { f.request(); f.send(chunkedHead + "5\r\nhello\r\n"); f.hold() }, func(t *testing.T, p *transport.Pool) {
			resp, a, err := try(p, request(t, http.MethodGet, "/", nil))
			require.NoError(t, err)
			ends := 0
			a.OnDone(func(*transport.Attempt) { ends++ })
			read := make(chan error, 1)
			if reading {
				go func() { _, err := io.ReadAll(resp.Body); read <- err }()
				synctest.Wait()
			}
			require.NoError(t, resp.Body.Close())
			require.NoError(t, resp.Body.Close())
			if reading {
				require.Error(t, <-read)
			}
			synctest.Wait()
			require.Equal(t, 1, ends)
			require.NotNil(t, a.Err)
			require.Zero(t, p.Stats().Leased)
			require.Zero(t, p.Stats().Idle)
		})
	}
}

// pool-maxconns-deadlock: whatever happens to those who wait, dial, write or
// read, slots and live connections stay the same number, and nobody is left
// waiting.
func TestSlotsUnderStress(t *testing.T) {
	for _, slots := range []int{1, 2, 4} {
		synctest.Test(t, func(t *testing.T) { stress(t, slots) })
	}
}

func stress(t *testing.T, slots int) {
	var live, most, faults atomic.Int64
	faults.Store(1)
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case <-time.After(time.Duration(rand.IntN(3)) * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if faults.Load() == 1 && rand.IntN(10) < 3 {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}
		near, there := net.Pipe()
		if n := live.Add(1); n > most.Load() {
			most.Store(n)
		}
		wg.Go(func() {
			defer there.Close()
			moody(there, &faults)
		})
		return &counted{Conn: near, live: &live}, nil
	}
	p := newPool(t, "upstream:80", func(c *transport.Config) {
		c.Dial, c.MaxConnections, c.Timeouts.Queue, c.Timeouts.Headers = dial, slots, 30*time.Millisecond, 20*time.Millisecond
	})
	clients := sync.WaitGroup{}
	for i := range 64 {
		clients.Go(func() {
			for range 20 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(40))*time.Millisecond)
				var body io.Reader
				if i%3 == 0 {
					body = strings.NewReader("hello")
				}
				a := &transport.Attempt{Fresh: i%7 == 0}
				req := request(t, http.MethodPost, "/", body).WithContext(transport.WithAttempt(ctx, a))
				if resp, err := p.RoundTrip(req); err == nil {
					if i%5 != 0 {
						_, _ = io.Copy(io.Discard, resp.Body)
					}
					_ = resp.Body.Close()
				}
				cancel()
			}
		})
	}
	clients.Wait()
	s := p.Stats()
	require.Zero(t, s.Leased)
	require.Zero(t, s.Waiting)
	require.Zero(t, s.Dialing)
	require.Equal(t, int(live.Load()), s.Idle, "slots == live connections")
	require.LessOrEqual(t, most.Load(), int64(slots))

	faults.Store(0)
	p.Purge()
	served := atomic.Int64{}
	for range 100 {
		clients.Go(func() {
			for {
				resp, err := p.RoundTrip(request(t, http.MethodGet, "/", nil))
				if errors.Is(err, transport.ErrPoolTimeout) {
					continue
				}
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
				}
				if err == nil {
					served.Add(1)
				}
				return
			}
		})
	}
	clients.Wait()
	require.Equal(t, int64(100), served.Load())
	require.Equal(t, int(live.Load()), p.Stats().Idle)
}

// moody answers, hangs, closes or cuts while there are faults.
func moody(nc net.Conn, faults *atomic.Int64) {
	f := newFar(nc)
	for f.request() {
		mood := 0
		if faults.Load() == 1 {
			mood = rand.IntN(8)
		}
		switch mood {
		case 1:
			f.hold()
		case 2:
			return
		case 3:
			f.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")
			return
		case 4:
			f.send("nonsense\r\n\r\n")
		case 5:
			f.send(chunkedHead + "2\r\nok\r\n0\r\n\r\n")
		default:
			f.send(ok)
		}
	}
}

type counted struct {
	net.Conn
	live *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.live.Add(-1) })
	return c.Conn.Close()
}
