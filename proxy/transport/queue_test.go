package transport_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
)

// to-queue-not-covered.
func TestQueueTimeout(t *testing.T) {
	simulated(t, func(f *far) { f.request(); f.send(chunkedHead); f.hold() }, func(t *testing.T, p *transport.Pool) {
		resp, _, err := try(p, request(t, http.MethodGet, "/", nil))
		require.NoError(t, err)
		started := time.Now()
		_, a, err := try(p, request(t, http.MethodPost, "/", strings.NewReader("x")))
		e := failed(t, err)
		require.ErrorIs(t, e, transport.ErrPoolTimeout)
		require.Equal(t, transport.PhaseQueue, e.Phase)
		require.Equal(t, transport.SourceProxy, e.Source)
		require.True(t, e.Unprocessed)
		require.Equal(t, 2*time.Second, time.Since(started))
		require.Equal(t, 2*time.Second, a.Queue)
		require.NoError(t, resp.Body.Close())
		require.Zero(t, p.Stats().Leased)
	}, func(c *transport.Config) { c.MaxConnections, c.Timeouts.Queue = 1, 2*time.Second })
}

func TestQueueIsBounded(t *testing.T) {
	simulated(t, func(f *far) { f.request(); f.hold() }, func(t *testing.T, p *transport.Pool) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		for range 2 {
			req := request(t, http.MethodGet, "/", nil).WithContext(ctx)
			go func() {
				_, _, err := try(p, req)
				done <- err
			}()
			synctest.Wait()
		}
		require.Equal(t, 1, p.Stats().Waiting)
		_, _, err := try(p, request(t, http.MethodGet, "/", nil))
		require.ErrorIs(t, err, transport.ErrPoolFull)
		cancel()
		require.ErrorIs(t, <-done, transport.ErrClientGone)
		require.ErrorIs(t, <-done, transport.ErrClientGone)
	}, func(c *transport.Config) { c.MaxConnections, c.MaxWaiting = 1, 1 })
}
