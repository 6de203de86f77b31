package upstream_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/health"
)

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
