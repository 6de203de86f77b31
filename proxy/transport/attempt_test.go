package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

func TestAttemptRecord(t *testing.T) {
	s := rawtest.Serve(t, answer("HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\nok"))
	p := newPool(t, s.Addr)
	for i := range 2 {
		ends := 0
		a := &transport.Attempt{Number: 1}
		a.OnDone(func(done *transport.Attempt) {
			ends++
			require.Same(t, a, done)
			require.Equal(t, 1, p.Stats().Idle, "the connection is back before the end is told")
		})
		req := request(t, http.MethodPut, "/", strings.NewReader("hello"))
		resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), a)))
		require.NoError(t, err)
		require.Zero(t, ends)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, 1, ends)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 1, ends)
		require.Equal(t, 418, a.Status)
		require.Equal(t, "length", a.Framing)
		require.Equal(t, s.Addr, a.Endpoint)
		require.Equal(t, uint64(1), a.ConnID)
		require.Equal(t, i == 1, a.Reused)
		require.Equal(t, i == 1, a.IdleAge > 0)
		require.Equal(t, i == 0, a.Dial > 0)
		require.Positive(t, a.Write)
		require.Positive(t, a.FirstByte)
		require.Positive(t, a.Body)
		require.Equal(t, int64(len("HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\nok")), a.BytesIn)
		require.Equal(t, int64(len("PUT / HTTP/1.1\r\nHost: upstream\r\nContent-Length: 5\r\n\r\nhello")), a.BytesOut)
		require.Nil(t, a.Err)
		a.OnDone(func(*transport.Attempt) { ends++ })
		require.Equal(t, 2, ends, "one that comes late runs at once")
	}
}

func TestExchangeCollectsAttempts(t *testing.T) {
	x := &transport.Exchange{}
	require.Nil(t, x.Last())
	require.Nil(t, transport.ExchangeFrom(t.Context()))
	require.Nil(t, transport.AttemptFrom(t.Context()))
	for i := range 5 {
		a := &transport.Attempt{Number: i + 1}
		x.Add(a)
		require.Same(t, a, x.Last())
		require.Len(t, x.Attempts(), i+1)
	}
	require.Same(t, x, transport.ExchangeFrom(transport.WithExchange(t.Context(), x)))
}

// A transport that knows nothing of attempts still ends them.
func TestSettle(t *testing.T) {
	cause := errors.New("broken")
	for name, c := range map[string]struct {
		body io.Reader
		err  error
		want error
	}{
		"fails": {nil, cause, cause},
		"reads": {strings.NewReader("hello"), nil, nil},
		"cut":   {io.MultiReader(strings.NewReader("hello"), &failingBody{err: cause}), nil, cause},
	} {
		t.Run(name, func(t *testing.T) {
			a := &transport.Attempt{Endpoint: "e:1"}
			ends := 0
			a.OnDone(func(*transport.Attempt) { ends++ })
			var resp *http.Response
			if c.body != nil {
				resp = &http.Response{StatusCode: 200, Body: io.NopCloser(c.body)}
			}
			resp, err := transport.Settle(a, resp, c.err)
			if err == nil {
				require.Zero(t, ends)
				_, err = io.ReadAll(resp.Body)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, int64(5), a.BytesIn)
			}
			require.ErrorIs(t, err, c.want)
			require.Equal(t, 1, ends)
			require.Equal(t, c.want != nil, a.Err != nil)
		})
	}
}

func TestSettleLeavesThePoolsResultsAlone(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	p := newPool(t, s.Addr)
	resp, a, err := try(p, request(t, http.MethodGet, "/", nil))
	require.NoError(t, err)
	body := resp.Body
	resp, err = transport.Settle(a, resp, nil)
	require.NoError(t, err)
	require.Equal(t, body, resp.Body)
	require.NoError(t, resp.Body.Close())
}

func TestAsError(t *testing.T) {
	e := &transport.Error{Source: transport.SourceClient}
	require.Same(t, e, transport.AsError(errors.Join(io.EOF, e)))
	got := transport.AsError(context.DeadlineExceeded)
	require.True(t, got.Timeout)
	require.True(t, got.Sent, "when unsure")
	require.Equal(t, transport.SourceClient, transport.ContextError(cancelled(t.Context())).Source)
}

func TestErrorText(t *testing.T) {
	e := &transport.Error{Phase: transport.PhaseHeaders, Endpoint: "10.0.0.1:80", Reused: true, Err: transport.ErrHeaderTimeout}
	require.Equal(t, "upstream 10.0.0.1:80 (headers, reused connection): upstream response head took too long", e.Error())
	require.Equal(t, "queue connect tls write headers body", strings.Join([]string{
		transport.PhaseQueue.String(), transport.PhaseDial.String(), transport.PhaseTLS.String(),
		transport.PhaseWrite.String(), transport.PhaseHeaders.String(), transport.PhaseBody.String(),
	}, " "))
	require.Equal(t, "client proxy upstream", strings.Join([]string{
		transport.SourceClient.String(), transport.SourceProxy.String(), transport.SourceUpstream.String(),
	}, " "))
}
