package bench

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/ports"
)

// What the sink answers counts, and below slowly it answers nothing.
func TestSink(t *testing.T) {
	s, err := newSink()
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()
	defer http.DefaultClient.CloseIdleConnections()
	two := []byte{0x0a, 6, 0x12, 4, 0x12, 0, 0x12, 0} // resource_spans{scope_spans{spans, spans}}
	post := func(ctx context.Context, path string) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(two))
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	require.NoError(t, post(t.Context(), "/v1/traces"))
	require.EqualValues(t, 2, s.spans.Load())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, post(ctx, slowly+"/v1/traces"), context.DeadlineExceeded)
	require.EqualValues(t, 2, s.spans.Load())

	for trouble, want := range map[string]string{"": s.url, CollectorSlow: s.url + slowly} {
		url, err := (&bench{sink: s}).collector(Contestant{Collector: trouble})
		require.NoError(t, err)
		require.Equal(t, want, url)
	}
	block, err := ports.Claim()
	require.NoError(t, err)
	defer func() { require.NoError(t, block.Close()) }()
	url, err := (&bench{sink: s, ports: block}).collector(Contestant{Collector: CollectorDown})
	require.NoError(t, err)
	require.NotContains(t, url, s.url)
}
