package upstream_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/balance"
	"gauntlet/proxy/upstream/breaker"
	"gauntlet/proxy/upstream/eject"
	"gauntlet/proxy/upstream/health"
)

// bubble is an upstream without sockets, for tests in fake time: what each
// endpoint answers stands in a table.
type bubble struct {
	*upstream.Upstream
	t *testing.T

	mu      sync.Mutex
	answers map[string]func() (int, error)
	sick    map[string]bool
	served  map[string]int
	purged  map[string]int
	changes []string
	events  events
}

// fake is the transport of one endpoint.
type fake struct {
	b    *bubble
	addr string
}

func (f fake) RoundTrip(*http.Request) (*http.Response, error) {
	f.b.mu.Lock()
	f.b.served[f.addr]++
	answer := f.b.answers[f.addr]
	f.b.mu.Unlock()
	status := 200
	if answer != nil {
		var err error
		if status, err = answer(); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("x"))}, nil
}

func (f fake) Stats() transport.Stats { return transport.Stats{} }
func (f fake) Close() error           { return nil }
func (f fake) Purge() {
	f.b.mu.Lock()
	f.b.purged[f.addr]++
	f.b.mu.Unlock()
}

func newBubble(t *testing.T, edit func(*bubble, *upstream.Config), addrs ...string) *bubble {
	b := &bubble{t: t, answers: map[string]func() (int, error){}, sick: map[string]bool{}, served: map[string]int{}, purged: map[string]int{}}
	cfg := upstream.Config{Name: "api", Endpoints: list(addrs...), Retry: policy.Retry{Random: func() float64 { return 0 }}}
	edit(b, &cfg)
	u, err := upstream.New(cfg, upstream.Hooks{
		Transport: func(c transport.Config) transport.RoundTripper { return fake{b, c.Endpoint} },
		Event:     b.events.hook,
		Change: func(endpoint string, s upstream.State, _ error) {
			b.mu.Lock()
			b.changes = append(b.changes, endpoint+" "+s.String())
			b.mu.Unlock()
		},
	})
	require.NoError(t, err)
	b.Upstream = u
	return b
}

// ask makes n exchanges and gives how many each endpoint served of them.
func (b *bubble) ask(n int) map[string]int {
	b.t.Helper()
	b.mu.Lock()
	clear(b.served)
	b.mu.Unlock()
	for range n {
		_, _, _ = do(b.t, b.Upstream, http.MethodPost, "")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.served)
}

// changed is every change of state so far.
func (b *bubble) changed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.changes)
}

func (b *bubble) set(addr string, f func() (int, error)) {
	b.mu.Lock()
	b.answers[addr] = f
	b.mu.Unlock()
}

func says(status int) func() (int, error) { return func() (int, error) { return status, nil } }

func fails(e transport.Error, after time.Duration) func() (int, error) {
	return func() (int, error) {
		time.Sleep(after)
		return 0, &e
	}
}

func ejecting(_ *bubble, c *upstream.Config) { c.Ejection = &eject.Config{} }

func TestEjectionAndReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, ejecting, "a:1", "b:1", "c:1")
		defer b.Close()
		b.set("b:1", says(503))
		require.Equal(t, map[string]int{"a:1": 4, "b:1": 4, "c:1": 4}, b.ask(12))
		require.Equal(t, 1, b.ask(17)["b:1"], "the fifth ejects")
		require.Equal(t, map[string]upstream.State{"a:1": upstream.Live, "b:1": upstream.Ejected, "c:1": upstream.Live}, states(b.Upstream))
		require.Equal(t, map[string]int{"b:1": 1}, b.purged)
		b.set("b:1", says(200))
		time.Sleep(time.Minute - time.Nanosecond)
		require.Zero(t, b.ask(10)["b:1"])
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, 4, b.ask(12)["b:1"])
		require.Equal(t, []string{"b:1 ejected", "b:1 live"}, b.changed())
		require.Equal(t, []string{"endpoint.ejected"}, b.events.names)
		require.Equal(t, uint64(1), b.Stats()[1].Ejections)
	})
}

// lb-passive-ejection-all-down: however bad all of them are, most stay.
func TestEjectionKeepsAFloor(t *testing.T) {
	for _, c := range []struct{ endpoints, percent, ejected int }{{1, 100, 0}, {2, 50, 1}, {2, 100, 1}, {3, 50, 1}, {4, 50, 2}, {4, 100, 3}} {
		synctest.Test(t, func(t *testing.T) {
			addrs := []string{"a:1", "b:1", "c:1", "d:1"}[:c.endpoints]
			b := newBubble(t, func(_ *bubble, cfg *upstream.Config) { cfg.Ejection = &eject.Config{MaxPercent: c.percent} }, addrs...)
			defer b.Close()
			for _, a := range addrs {
				b.set(a, says(500))
			}
			b.ask(200)
			ejected := 0
			for _, s := range states(b.Upstream) {
				if s == upstream.Ejected {
					ejected++
				}
			}
			require.Equal(t, c.ejected, ejected, "%+v", c)
		})
	}
}

// What an endpoint cannot help never ejects it.
func TestWhatEjects(t *testing.T) {
	timeout := transport.Error{Source: transport.SourceUpstream, Phase: transport.PhaseHeaders, Timeout: true, Sent: true, Err: transport.ErrHeaderTimeout}
	for name, c := range map[string]struct {
		answer func() (int, error)
		want   upstream.State
	}{
		"500":           {says(500), upstream.Ejected},
		"504":           {says(504), upstream.Ejected},
		"501":           {says(501), upstream.Live},
		"404":           {says(404), upstream.Live},
		"refused":       {fails(transport.Error{Source: transport.SourceUpstream, Phase: transport.PhaseDial, Unprocessed: true, Err: transport.ErrConnect}, 0), upstream.Ejected},
		"long timeout":  {fails(timeout, 2*time.Second), upstream.Ejected},
		"short timeout": {fails(timeout, 2*time.Second-1), upstream.Live},
		"client gone":   {fails(transport.Error{Source: transport.SourceClient, Err: transport.ErrClientGone}, time.Hour), upstream.Live},
		"our deadline":  {fails(transport.Error{Source: transport.SourceProxy, Timeout: true, Err: transport.ErrDeadline}, time.Hour), upstream.Live},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, func(_ *bubble, c *upstream.Config) {
					c.Ejection = &eject.Config{DecayEvery: 24 * time.Hour, For: 24 * time.Hour}
				}, "a:1", "b:1")
				defer b.Close()
				b.set("a:1", c.answer)
				b.ask(20)
				require.Equal(t, c.want, states(b.Upstream)["a:1"])
			})
		})
	}
}

var errSick = errors.New("sick")

func checked(b *bubble, c *upstream.Config) {
	c.Health = &health.Config{Random: func() float64 { return 0 }, Check: func(_ context.Context, addr string) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.sick[addr] {
			return errSick
		}
		return nil
	}}
}

func (b *bubble) turn(sick bool, addrs ...string) {
	b.mu.Lock()
	for _, a := range addrs {
		b.sick[a] = sick
	}
	b.mu.Unlock()
}

func TestUnhealthyEndpointsGetNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, checked, "a:1", "b:1")
		defer b.Close()
		require.Equal(t, map[string]int{"a:1": 5, "b:1": 5}, b.ask(10), "presumed healthy at the start")
		time.Sleep(time.Second)
		b.turn(true, "a:1")
		time.Sleep(25 * time.Second) // probes at 10 and 20 s
		require.Equal(t, map[string]int{"a:1": 5, "b:1": 5}, b.ask(10))
		time.Sleep(5 * time.Second) // and at 30
		require.Equal(t, map[string]int{"b:1": 10}, b.ask(10))
		require.Equal(t, map[string]int{"a:1": 1}, b.purged)
		b.turn(false, "a:1")
		time.Sleep(15 * time.Second)
		require.Equal(t, map[string]int{"b:1": 10}, b.ask(10), "one success is not enough")
		time.Sleep(10 * time.Second)
		require.Equal(t, map[string]int{"a:1": 5, "b:1": 5}, b.ask(10))
		require.Equal(t, []string{"a:1 unhealthy", "a:1 live"}, b.changed())
	})
}

// Checks that fail everywhere do not stop a service that works.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, checked, "a:1", "b:1")
		defer b.Close()
		b.turn(true, "a:1", "b:1")
		time.Sleep(31 * time.Second)
		require.Equal(t, map[string]upstream.State{"a:1": upstream.Unhealthy, "b:1": upstream.Unhealthy}, states(b.Upstream))
		require.Equal(t, map[string]int{"a:1": 5, "b:1": 5}, b.ask(10))
		b.turn(false, "b:1")
		time.Sleep(20 * time.Second)
		require.Equal(t, map[string]int{"b:1": 10}, b.ask(10))
	})
}

// lb-new-backend-before-ready: an endpoint that is added gets nothing before
// it has passed a check.
func TestAddedEndpointsMustPassFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, checked, "a:1")
		defer b.Close()
		b.turn(true, "b:1")
		require.NoError(t, b.Update(list("a:1", "b:1", "c:1")))
		require.Zero(t, b.ask(10)["b:1"])
		synctest.Wait()
		require.Equal(t, map[string]int{"a:1": 5, "c:1": 5}, b.ask(10), "probed at once")
		b.turn(false, "b:1")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, map[string]int{"a:1": 3, "b:1": 3, "c:1": 3}, b.ask(9))
	})
}

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
