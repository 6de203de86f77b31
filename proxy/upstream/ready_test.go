package upstream_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
	"gauntlet/proxy/upstream"
)

// An endpoint that gets no tries has no connections ready, and has them again
// as soon as it is back, before the first try.
func TestReadyWhileLive(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	u := newUpstream(t, upstream.Hooks{}, func(c *upstream.Config) { c.MinIdle = 2 }, s.Addr)
	pool := func(want transport.Stats) {
		t.Helper()
		require.Eventually(t, func() bool { return u.Stats()[0].Pool == want }, 5*time.Second, time.Millisecond)
	}
	pool(transport.Stats{Idle: 2, Dialed: 2})
	require.NoError(t, u.Drain(s.Addr, true))
	require.Equal(t, transport.Stats{Dialed: 2}, u.Stats()[0].Pool)
	require.NoError(t, u.Drain(s.Addr, false))
	pool(transport.Stats{Idle: 2, Dialed: 4})
}
