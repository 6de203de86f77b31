package upstream_test

import (
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/balance"
	"gauntlet/proxy/upstream/breaker"
)

// A returning endpoint gets a tenth of its share at first, and more with time.
func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := 0.0
		b := newBubble(t, func(b *bubble, c *upstream.Config) {
			checked(b, c)
			c.SlowStart = 100 * time.Second
			c.Random = func() float64 { // evenly spread
				if turn += 0.01; turn >= 1 {
					turn = 0
				}
				return turn
			}
		}, "a:1")
		defer b.Close()
		require.NoError(t, b.Update(list("a:1", "b:1")))
		synctest.Wait()
		share := func() int { return b.ask(200)["b:1"] }
		require.InDelta(t, 10, share(), 2)
		require.InDelta(t, 0.1, b.Stats()[1].Weight, 0.001)
		time.Sleep(30 * time.Second)
		require.InDelta(t, 30, share(), 2)
		time.Sleep(30 * time.Second)
		require.InDelta(t, 60, share(), 2)
		time.Sleep(41 * time.Second)
		require.Equal(t, 100, share())
		require.InDelta(t, 1, b.Stats()[1].Weight, 0)
		require.NoError(t, b.Drain("a:1", true))
		require.NoError(t, b.Drain("b:1", true))
		require.NoError(t, b.Drain("b:1", false))
		require.Equal(t, 50, b.ask(50)["b:1"], "when there is no other, a cold one serves")
	})
}

// So does one that was added without a check, and one that was ejected.
func TestWhatStartsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, func(b *bubble, c *upstream.Config) {
			ejecting(b, c)
			c.SlowStart = time.Hour
		}, "a:1")
		defer b.Close()
		weight := func(i int) float64 { return b.Stats()[i].Weight }
		require.InDelta(t, 1, weight(0), 0, "the first ones do not")
		require.NoError(t, b.Update(list("a:1", "b:1")))
		require.InDelta(t, 0.1, weight(1), 0.001)
		b.set("a:1", says(500))
		b.ask(50)
		require.Equal(t, upstream.Ejected, states(b.Upstream)["a:1"])
		time.Sleep(time.Minute + time.Second)
		require.Equal(t, upstream.Live, states(b.Upstream)["a:1"])
		require.InDelta(t, 0.1, weight(0), 0.001)
	})
}

// A try that meets a cold endpoint when it retries takes it, rather than the
// one that failed.
func TestColdBeforeFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, func(_ *bubble, c *upstream.Config) {
			c.SlowStart = time.Hour
			c.Random = func() float64 { return 0.99 }
		}, "a:1")
		defer b.Close()
		require.NoError(t, b.Update(list("a:1", "b:1")))
		b.set("a:1", fails(transport.Error{Source: transport.SourceUpstream, Phase: transport.PhaseDial, Unprocessed: true, Err: &net.OpError{}}, 0))
		for range 4 {
			code, x, err := do(t, b.Upstream, http.MethodPost, "hello")
			require.NoError(t, err)
			require.Equal(t, 200, code)
			require.Len(t, x.Attempts(), 2)
		}
	})
}

// An endpoint that is removed between its choice and its use is not used.
func TestRemovedWhileChosen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *bubble
		removed := false
		b = newBubble(t, func(_ *bubble, c *upstream.Config) {
			c.SlowStart = time.Hour
			c.Random = func() float64 { // asked between the two
				if !removed {
					removed = true
					require.NoError(t, b.Update(list("a:1")))
				}
				return 0
			}
		}, "a:1")
		defer b.Close()
		require.NoError(t, b.Update(list("b:1", "a:1")))
		for range 4 {
			code, _, err := do(t, b.Upstream, http.MethodPost, "hello")
			require.NoError(t, err)
			require.Equal(t, 200, code)
		}
		require.True(t, removed)
		require.Equal(t, map[string]int{"a:1": 4}, b.served)
	})
}

func TestFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		main := newBubble(t, func(b *bubble, c *upstream.Config) {
			checked(b, c)
			c.Breaker = &breaker.Config{MinFailures: 5, Window: time.Minute, OpenFor: time.Minute}
		}, "a:1")
		other := newBubble(t, func(*bubble, *upstream.Config) {}, "z:1")
		defer main.Close()
		defer other.Close()
		main.SetFallback(other.Upstream)
		require.Equal(t, map[string]int{"a:1": 10}, main.ask(10))
		require.Empty(t, other.served)

		main.set("a:1", says(500))
		main.ask(20)
		require.Equal(t, breaker.Open, main.Stats()[0].Breaker)
		code, x, err := do(t, main.Upstream, http.MethodPost, "hello")
		require.NoError(t, err)
		require.Equal(t, 200, code)
		require.Equal(t, "z:1", x.Last().Endpoint)
		require.Len(t, x.Attempts(), 1, "nothing was sent elsewhere")
		require.Contains(t, main.events.names, "upstream.fallback")

		main.set("a:1", nil)
		main.turn(true, "a:1")
		time.Sleep(2*time.Minute + time.Second)
		require.Empty(t, main.ask(10), "unhealthy, and no panic")
		main.turn(false, "a:1")
		time.Sleep(21 * time.Second)
		require.Equal(t, map[string]int{"a:1": 10}, main.ask(10))

		require.NoError(t, main.Drain("a:1", true))
		require.NoError(t, other.Drain("z:1", true))
		_, _, err = do(t, main.Upstream, http.MethodPost, "hello")
		require.ErrorIs(t, err, upstream.ErrNoEndpoints)
	})
}

// A retry goes elsewhere under every policy, also under those that would
// choose the same endpoint again.
func TestEveryPolicyAvoids(t *testing.T) {
	for _, name := range balance.Policies() {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, func(_ *bubble, c *upstream.Config) {
				c.Balance = balance.Config{Policy: name, Cookie: balance.Cookie{Name: "at"}}
				c.Retry.Retries = 1
			}, "a:1", "b:1")
			defer b.Close()
			b.set("a:1", fails(transport.Error{Source: transport.SourceUpstream, Phase: transport.PhaseDial, Unprocessed: true, Err: &net.OpError{}}, 0))
			for range 20 {
				code, x, err := do(t, b.Upstream, http.MethodPost, "hello")
				require.NoError(t, err, name)
				require.Equal(t, 200, code)
				require.Equal(t, "b:1", x.Last().Endpoint)
			}
		})
	}
}
