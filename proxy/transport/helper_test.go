package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// newPool makes a pool whose slots must all be free when the test ends.
func newPool(t testing.TB, addr string, edit ...func(*transport.Config)) *transport.Pool {
	t.Helper()
	cfg := transport.Config{Endpoint: addr, Timeouts: transport.Timeouts{
		Queue: 5 * time.Second, Connect: 5 * time.Second, Write: 5 * time.Second,
		Headers: 5 * time.Second, BodyIdle: 5 * time.Second,
	}}
	for _, f := range edit {
		f(&cfg)
	}
	p := transport.New(cfg)
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		s := p.Stats()
		require.Zero(t, s.Leased, "leased")
		require.Zero(t, s.Waiting+s.Idle+s.Dialing)
	})
	return p
}

func request(t testing.TB, method, path string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://upstream"+path, body)
	require.NoError(t, err)
	return req
}

// try makes one attempt and gives its record.
func try(p http.RoundTripper, req *http.Request) (*http.Response, *transport.Attempt, error) {
	a := &transport.Attempt{Number: 1}
	resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), a)))
	return resp, a, err
}

// get makes a GET that must work as a whole.
func get(t testing.TB, p http.RoundTripper, path string) (string, *transport.Attempt) {
	t.Helper()
	resp, a, err := try(p, request(t, http.MethodGet, path, nil))
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body), a
}

// failed gives the transport's error out of err.
func failed(t testing.TB, err error) *transport.Error {
	t.Helper()
	require.Error(t, err)
	e, isOurs := errors.AsType[*transport.Error](err)
	require.True(t, isOurs, "%T: %v", err, err)
	return e
}

// answer serves every request of every connection with the same bytes.
func answer(resp string) func(*rawtest.Conn) {
	return func(c *rawtest.Conn) {
		for {
			if _, _, err := c.Request(); err != nil || !c.Send(resp) {
				return
			}
		}
	}
}

// await waits for an event with a deadline.
func await[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(10 * time.Second):
		require.FailNow(t, "waited in vain")
		panic("unreachable")
	}
}

// upload is a body of unknown length.
func upload(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }

func cancelled(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	cancel()
	return ctx
}
