package upstream_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/eject"
)

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
