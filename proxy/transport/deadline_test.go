package transport_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
)

// One deadline over everything: it ends whatever phase is running, and blames
// the upstream only for time that the upstream took.
func TestContextDeadline(t *testing.T) {
	late := 3 * time.Second
	for name, c := range map[string]struct {
		upstream func(*far)
		body     func() io.Reader
		spent    time.Duration // before the attempt
		phase    transport.Phase
		source   transport.Source
	}{
		"headers":                    {(*far).hold, nil, 0, transport.PhaseHeaders, transport.SourceUpstream},
		"headers after a long queue": {(*far).hold, nil, 2 * time.Second, transport.PhaseHeaders, transport.SourceProxy},
		"upstream does not read":     {func(f *far) { _, _ = f.head(); time.Sleep(time.Minute) }, func() io.Reader { return &endless{limit: 1 << 20} }, 0, transport.PhaseWrite, transport.SourceUpstream},
		"client does not send":       {(*far).hold, func() io.Reader { return newStalled() }, 0, transport.PhaseWrite, transport.SourceClient},
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, c.upstream, func(t *testing.T, p *transport.Pool) {
				x := &transport.Exchange{Started: time.Now()}
				ctx, cancel := context.WithTimeoutCause(transport.WithExchange(t.Context(), x), late, transport.ErrDeadline)
				defer cancel()
				time.Sleep(c.spent)
				var body io.Reader
				if c.body != nil {
					body = c.body()
				}
				_, _, err := try(p, request(t, http.MethodPost, "/", body).WithContext(ctx))
				e := failed(t, err)
				require.ErrorIs(t, e, transport.ErrDeadline)
				require.Equal(t, c.phase, e.Phase)
				require.Equal(t, c.source, e.Source)
				require.True(t, e.Timeout)
				require.Equal(t, late, time.Since(x.Started))
			})
		})
	}
}

func TestContextDeadlineCutsABody(t *testing.T) {
	simulated(t, func(f *far) {
		f.request()
		f.send(chunkedHead)
		for f.send("1\r\nx\r\n") {
			time.Sleep(time.Second)
		}
	}, func(t *testing.T, p *transport.Pool) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, transport.ErrDeadline)
		defer cancel()
		resp, _, err := try(p, request(t, http.MethodGet, "/", nil).WithContext(ctx))
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		e := failed(t, err)
		require.ErrorIs(t, e, transport.ErrDeadline)
		require.Equal(t, transport.SourceProxy, e.Source, "a limit of ours, not a failure of the upstream")
		require.Equal(t, transport.PhaseBody, e.Phase)
	})
}
