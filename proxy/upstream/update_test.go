package upstream_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport/rawtest"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/balance"
)

// states is what u thinks of each endpoint, by address.
func states(u *upstream.Upstream) map[string]upstream.State {
	all := map[string]upstream.State{}
	for _, s := range u.Stats() {
		all[s.Endpoint] = s.State
	}
	return all
}

// With every endpoint replaced over and over while requests flow, and most of
// them waiting for a connection, nothing is lost and nothing is left over.
func TestUpdateLosesNothing(t *testing.T) {
	const clients, each = 8, 25
	var addrs []string
	for range 6 {
		addrs = append(addrs, rawtest.Serve(t, answer(ok)).Addr)
	}
	for _, policy := range []string{balance.RoundRobin, balance.Least, balance.Hash} {
		t.Run(policy, func(t *testing.T) {
			u := newUpstream(t, upstream.Hooks{}, func(c *upstream.Config) {
				c.MaxConnections = 1
				c.Balance.Policy, c.Balance.Epsilon = policy, 0.25
				guarded(c)
			}, addrs[:2]...)
			var running atomic.Int64
			running.Store(clients)
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() {
					defer running.Add(-1)
					for range each {
						code, _, err := do(t, u, http.MethodPost, "hello")
						if err != nil || code != 200 {
							t.Errorf("lost: %d %v", code, err)
						}
					}
				})
			}
			for i := 1; running.Load() > 0; i++ {
				if err := u.Update(list(addrs[i%6], addrs[(i+1)%6])); err != nil {
					t.Errorf("update: %v", err)
				}
			}
			wg.Wait()
			require.Eventually(t, func() bool { return len(u.Stats()) == 2 }, 5*time.Second, time.Millisecond, "those that left have closed")
			for _, s := range u.Stats() {
				require.Zero(t, s.Pool.Leased+s.Pool.Waiting+s.Pool.Dialing)
			}
		})
	}
}

// An endpoint that is removed finishes what it has, also those who still wait
// for its connection, and then closes.
func TestRemovedEndpointFinishes(t *testing.T) {
	arrived, release := make(chan bool, 2), make(chan bool)
	old := rawtest.Serve(t, func(c *rawtest.Conn) {
		for {
			if _, _, err := c.Request(); err != nil {
				return
			}
			arrived <- true
			<-release
			c.Send(ok)
		}
	})
	young := rawtest.Serve(t, answer(ok))
	var gone []string
	u := newUpstream(t, upstream.Hooks{Gone: func(endpoint string) { gone = append(gone, endpoint) }}, func(c *upstream.Config) { c.MaxConnections = 1 }, old.Addr)
	var wg sync.WaitGroup
	for range 2 { // one is served, one waits
		wg.Go(func() {
			code, x, err := do(t, u, http.MethodPost, "hello")
			if err != nil || code != 200 || x.Last().Endpoint != old.Addr {
				t.Errorf("%d %v", code, err)
			}
		})
	}
	<-arrived
	require.Eventually(t, func() bool { return u.Stats()[0].Pool.Waiting == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, u.Update(list(young.Addr)))
	require.Equal(t, map[string]upstream.State{young.Addr: upstream.Live, old.Addr: upstream.Draining}, states(u))
	for range 3 {
		_, x, err := do(t, u, http.MethodGet, "")
		require.NoError(t, err)
		require.Equal(t, young.Addr, x.Last().Endpoint)
	}
	require.Empty(t, gone)
	close(release)
	wg.Wait()
	require.Eventually(t, func() bool { return len(u.Stats()) == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, u.Update(list(young.Addr))) // orders what Stats wrote before this
	require.Equal(t, []string{old.Addr}, gone)
}

// Those that stay keep their connections and what their breakers know.
func TestUpdateKeepsWhatStays(t *testing.T) {
	stays, goes := rawtest.Serve(t, answer(status("500 x"))), rawtest.Serve(t, answer(ok))
	u := newUpstream(t, upstream.Hooks{}, guarded, stays.Addr, goes.Addr)
	for range 8 { // four failures: one short of opening
		_, _, err := do(t, u, http.MethodGet, "")
		require.NoError(t, err)
	}
	require.NoError(t, u.Update([]upstream.Endpoint{{Address: stays.Addr, Weight: 7}}))
	require.Len(t, u.Stats(), 1)
	s := u.Stats()[0]
	require.Equal(t, 1, s.Pool.Idle)
	require.InDelta(t, 7, s.Weight, 0)
	_, _, err := do(t, u, http.MethodGet, "")
	require.NoError(t, err)
	_, _, err = do(t, u, http.MethodGet, "")
	require.ErrorIs(t, err, upstream.ErrBreakerOpen, "the fifth failure")
	require.Equal(t, 1, stays.Accepted())
}

func TestUpdateRefuses(t *testing.T) {
	u := newUpstream(t, upstream.Hooks{}, nil, "a:1")
	require.ErrorIs(t, u.Update(nil), upstream.ErrNoEndpoints)
	require.ErrorIs(t, u.Update(list("b:1", "b:1")), upstream.ErrDuplicate)
	require.ErrorIs(t, u.Drain("b:1", true), upstream.ErrUnknownEndpoint)
	require.Equal(t, map[string]upstream.State{"a:1": upstream.Live}, states(u))
	require.NoError(t, u.Close())
	require.ErrorIs(t, u.Update(list("c:1")), upstream.ErrClosed)
}

func TestDrainAndReturn(t *testing.T) {
	one, two := rawtest.Serve(t, answer(ok)), rawtest.Serve(t, answer(ok))
	u := newUpstream(t, upstream.Hooks{}, nil, one.Addr, two.Addr)
	served := func() map[string]int {
		got := map[string]int{}
		for range 6 {
			_, x, err := do(t, u, http.MethodGet, "")
			require.NoError(t, err)
			got[x.Last().Endpoint]++
		}
		return got
	}
	require.Equal(t, map[string]int{one.Addr: 3, two.Addr: 3}, served())
	require.NoError(t, u.Drain(one.Addr, true))
	require.Zero(t, u.Stats()[0].Pool.Idle, "purged")
	require.Equal(t, map[string]int{two.Addr: 6}, served())
	require.NoError(t, u.Drain(two.Addr, true))
	_, _, err := do(t, u, http.MethodGet, "")
	require.ErrorIs(t, err, upstream.ErrNoEndpoints, "drained ones are not asked even when none is left")
	require.NoError(t, u.Drain(one.Addr, false))
	require.NoError(t, u.Drain(two.Addr, false))
	require.Equal(t, map[string]int{one.Addr: 3, two.Addr: 3}, served())
}
