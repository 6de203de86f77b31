package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"net/http"
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

func ready(n int) func(*transport.Config) {
	return func(c *transport.Config) { c.MinIdle = n }
}

// The first request finds a connection that was opened before it.
func TestReadyBeforeTheFirstRequest(t *testing.T) {
	simulated(t, func(f *far) { f.answers(ok) }, func(t *testing.T, p *transport.Pool) {
		synctest.Wait()
		require.Equal(t, transport.Stats{Idle: 3, Dialed: 3}, p.Stats(), "no time has passed")
		time.Sleep(7 * time.Second)
		_, a := get(t, p, "/")
		require.True(t, a.Reused)
		require.Equal(t, uint64(3), a.ConnID, "the newest")
		require.Equal(t, 7*time.Second, a.IdleAge)
		require.Zero(t, a.Dial)
		synctest.Wait()
		require.Zero(t, p.Stats().Leased)
	}, ready(3))
}

// What leaves is replaced, at a bounded rate.
func TestKeptReady(t *testing.T) {
	simulated(t, func(f *far) { f.answers(ok) }, func(t *testing.T, p *transport.Pool) {
		for range 3 { // 30 s idle
			time.Sleep(10 * time.Second)
			synctest.Wait()
			require.Equal(t, 2, p.Stats().Idle)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, transport.Stats{Idle: 2, Dialed: 4}, p.Stats(), "expired and opened anew")
		started := time.Now()
		for range 20 { // as fast as they come
			before := p.Stats().Dialed
			p.Purge()
			p.Warm()
			for p.Stats().Dialed == before {
				time.Sleep(time.Millisecond)
				synctest.Wait()
			}
		}
		require.Greater(t, time.Since(started), 17*50*time.Millisecond)
	}, ready(2), func(c *transport.Config) { c.IdleTimeout = 30 * time.Second })
}

// A purged pool stays as it is until it is used or told otherwise.
func TestPurgedIsNotReady(t *testing.T) {
	for _, protocol := range []transport.Protocol{transport.HTTP1, transport.HTTP2} {
		t.Run(protocol.String(), func(t *testing.T) {
			simulated(t, func(f *far) {
				if protocol == transport.HTTP1 {
					f.answers(ok)
				} else {
					f.h2(func(h *rawtest.H2) { echo(nil, h) })
				}
			}, func(t *testing.T, p *transport.Pool) {
				idle := func(n int) {
					t.Helper()
					time.Sleep(time.Minute)
					synctest.Wait()
					require.Equal(t, n, p.Stats().Idle)
				}
				idle(1)
				p.Purge()
				idle(0)
				p.Warm()
				idle(1)
				p.Purge()
				resp, _, err := try(p, request(t, http.MethodGet, "/", nil))
				require.NoError(t, err)
				if protocol == transport.HTTP1 {
					idle(1) // beside the one in use
				}
				require.NoError(t, resp.Body.Close())
				require.NotZero(t, p.Stats().Idle)
			}, ready(1), func(c *transport.Config) { c.Protocol = protocol })
		})
	}
}

func TestReadyWithinLimits(t *testing.T) {
	for name, c := range map[string]struct {
		connections, idle, want int
	}{
		"no limits":   {0, 0, 5},
		"connections": {2, 0, 2},
		"idle":        {0, 3, 3},
		"no idle":     {0, -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, func(f *far) { f.answers(ok) }, func(t *testing.T, p *transport.Pool) {
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Equal(t, transport.Stats{Idle: c.want, Dialed: uint64(c.want)}, p.Stats())
			}, ready(5), func(cfg *transport.Config) { cfg.MaxConnections, cfg.MaxIdle = c.connections, c.idle })
		})
	}
}

// An upstream that refuses is asked more and more rarely, and found again when
// it is back.
func TestReadyBacksOff(t *testing.T) {
	var dials atomic.Int64
	var up atomic.Bool
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		t.Cleanup(wg.Wait)
		var reach transport.Config
		piped(&wg, func(f *far) { f.answers(ok) })(&reach)
		p := newPool(t, "upstream:80", ready(4), func(c *transport.Config) {
			c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				dials.Add(1)
				if !up.Load() {
					return nil, syscall.ECONNREFUSED
				}
				return reach.Dial(ctx, network, addr)
			}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, transport.Stats{}, p.Stats())
		require.Less(t, dials.Load(), int64(20))
		require.Greater(t, dials.Load(), int64(12))
		up.Store(true)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Equal(t, transport.Stats{Idle: 4, Dialed: 4}, p.Stats())
	})
}

// A request that waits for the slot of a dial which hangs gets the slot.
func TestReadyGivesWay(t *testing.T) {
	for name, c := range map[string]struct {
		free bool // a slot beside the hanging dial
	}{"the last slot": {false}, "another slot": {true}} {
		t.Run(name, func(t *testing.T) {
			var dials atomic.Int64
			synctest.Test(t, func(t *testing.T) {
				var wg sync.WaitGroup
				t.Cleanup(wg.Wait)
				var reach transport.Config
				piped(&wg, func(f *far) { f.answers(ok) })(&reach)
				p := newPool(t, "upstream:80", ready(1), func(cfg *transport.Config) {
					cfg.MaxConnections = 1
					if c.free {
						cfg.MaxConnections = 2
					}
					cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						if dials.Add(1) == 1 {
							<-ctx.Done()
							return nil, ctx.Err()
						}
						return reach.Dial(ctx, network, addr)
					}
				})
				synctest.Wait()
				require.Equal(t, transport.Stats{Dialing: 1}, p.Stats())
				started := time.Now()
				_, a := get(t, p, "/")
				require.Zero(t, time.Since(started))
				require.False(t, a.Reused)
				require.Nil(t, a.Err)
				require.NoError(t, p.Close(), "while a dial hangs, perhaps")
			})
		})
	}
}

// A connection the server closed is found and replaced before a request
// stumbles over it; the session tickets of TLS do not count as its end.
func TestReadyMeansAlive(t *testing.T) {
	leave := make(chan struct{})
	overTLS, client := secure(t, tls.VersionTLS13, func(tc *tls.Conn, r *bufio.Reader, raw *rawtest.Conn) {
		if raw.N == 1 {
			_ = tc.Handshake()
			await(t, leave)
			_ = tc.Close() // with its close_notify
			return
		}
		for serveTLS(tc, r, ok) {
		}
	})
	for name, c := range map[string]struct {
		serve func(*rawtest.Conn)
		edit  func(*transport.Config)
	}{
		"TCP": {func(c *rawtest.Conn) {
			if c.N == 1 {
				await(t, leave)
				return
			}
			answer(ok)(c)
		}, func(*transport.Config) {}},
		"TLS": {overTLS, client},
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, c.serve)
			p := newPool(t, s.Addr, ready(2), c.edit)
			idle := func(dialed uint64) {
				t.Helper()
				require.Eventually(t, func() bool { return p.Stats() == transport.Stats{Idle: 2, Dialed: dialed} }, bound, time.Millisecond)
			}
			idle(2)
			leave <- struct{}{}
			idle(3) // the look that found it has left the other where it was
			_, a := get(t, p, "/")
			require.True(t, a.Reused)
			require.Equal(t, uint64(3), a.ConnID)
		})
	}
}

// A connection on which nothing was sent yet is one that may have gone stale:
// what fails on it may be sent again like on any other that was idle.
func TestReadyMayBeStale(t *testing.T) {
	simulated(t, func(f *far) { f.request() }, func(t *testing.T, p *transport.Pool) {
		synctest.Wait()
		_, a, err := try(p, request(t, http.MethodGet, "/", nil))
		require.True(t, failed(t, err).Reused)
		require.True(t, a.Reused)
		req := request(t, http.MethodGet, "/", nil)
		fresh := &transport.Attempt{Number: 2, Fresh: true}
		_, err = p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), fresh)))
		require.False(t, failed(t, err).Reused)
		require.False(t, fresh.Reused)
	}, ready(1))
}

// HTTP/2 needs one connection, however many are asked for, and gets the next
// when that one ends.
func TestReadyMux(t *testing.T) {
	next := make(chan struct{})
	s, p := h2(t, func(c *rawtest.Conn, h *rawtest.H2) {
		id, path := h.Request()
		h.Answer(id, path)
		await(t, next)
		_ = c.Close()
	}, ready(5))
	for n := 1; n <= 2; n++ {
		require.Eventually(t, func() bool { return p.Stats() == transport.Stats{Idle: 1, Dialed: uint64(n)} }, bound, time.Millisecond)
		_, a := get(t, p, "/")
		require.True(t, a.Reused)
		require.Equal(t, uint64(n), a.ConnID)
		require.Equal(t, n, s.Accepted())
		next <- struct{}{}
	}
	require.NoError(t, p.Close())
	close(next)
}

// An endpoint that chooses HTTP/1.1 has as many ready as were asked for.
func TestReadyByALPN(t *testing.T) {
	for name, c := range map[string]struct {
		server []string
		want   int
	}{"h2": {[]string{"h2", "http/1.1"}, 1}, "http/1.1": {[]string{"http/1.1"}, 4}} {
		t.Run(name, func(t *testing.T) {
			handle, client := secure(t, tls.VersionTLS13, either, c.server...)
			s := rawtest.Serve(t, handle)
			p := newPool(t, s.Addr, client, ready(4), func(cfg *transport.Config) { cfg.Protocol = transport.Auto })
			require.Eventually(t, func() bool { return p.Stats() == transport.Stats{Idle: c.want, Dialed: uint64(c.want)} }, bound, time.Millisecond)
			_, a := get(t, p, "/")
			require.True(t, a.Reused)
		})
	}
}

// A pool that closes waits for the dial it has under way, of either protocol.
func TestReadyEndsWithThePool(t *testing.T) {
	for _, protocol := range []transport.Protocol{transport.HTTP1, transport.HTTP2} {
		synctest.Test(t, func(t *testing.T) {
			ended := false
			p := newPool(t, "upstream:80", ready(1), func(c *transport.Config) {
				c.Protocol = protocol
				c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					ended = true
					return nil, ctx.Err()
				}
			})
			synctest.Wait()
			require.Equal(t, transport.Stats{Dialing: 1}, p.Stats())
			require.NoError(t, p.Close())
			require.True(t, ended)
			require.Equal(t, transport.Stats{}, p.Stats())
		})
	}
}
