package upstream_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
	"gauntlet/proxy/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func status(line string) string { return "HTTP/1.1 " + line + "\r\nContent-Length: 0\r\n\r\n" }

func answer(resp string) func(*rawtest.Conn) {
	return func(c *rawtest.Conn) {
		for {
			if _, _, err := c.Request(); err != nil || !c.Send(resp) {
				return
			}
		}
	}
}

// unused is an address that refuses connections.
func unused(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return ln.Addr().String()
}

type events struct {
	mu    sync.Mutex
	names []string
}

func (e *events) hook(_ context.Context, name string, _ ...slog.Attr) {
	e.mu.Lock()
	e.names = append(e.names, name)
	e.mu.Unlock()
}

// list is endpoints of equal weight.
func list(addrs ...string) []upstream.Endpoint {
	all := make([]upstream.Endpoint, len(addrs))
	for i, a := range addrs {
		all[i] = upstream.Endpoint{Address: a, Weight: 1}
	}
	return all
}

func newUpstream(t *testing.T, hooks upstream.Hooks, edit func(*upstream.Config), endpoints ...string) *upstream.Upstream {
	t.Helper()
	cfg := upstream.Config{
		Name: "api", Endpoints: list(endpoints...), Deadline: 10 * time.Second,
		Timeouts: transport.Timeouts{Connect: 5 * time.Second, Headers: 5 * time.Second, Queue: 5 * time.Second},
		Retry:    policy.Retry{Backoff: time.Millisecond},
	}
	if edit != nil {
		edit(&cfg)
	}
	u, err := upstream.New(cfg, hooks)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, u.Close())
		for _, s := range u.Stats() {
			require.Zero(t, s.Pool.Leased+s.Pool.Waiting+s.Pool.Idle+s.Pool.Dialing)
		}
	})
	return u
}

// do makes one exchange and reads it to its end.
func do(t *testing.T, u *upstream.Upstream, method, body string) (int, *transport.Exchange, error) {
	t.Helper()
	x := &transport.Exchange{}
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(transport.WithExchange(t.Context(), x), method, "http://upstream/", r)
	require.NoError(t, err)
	resp, err := u.RoundTrip(req)
	if err != nil {
		return 0, x, err
	}
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, x, err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
