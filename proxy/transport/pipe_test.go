package transport_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gauntlet/proxy/transport"
)

const bound = 5 * time.Second // every timeout of newPool

// far is the upstream's side of an in-memory connection, for tests in which
// time is simulated. A write on it waits for the reader.
type far struct {
	net.Conn
	r *bufio.Reader
}

func newFar(nc net.Conn) *far { return &far{nc, bufio.NewReader(nc)} }

func (f *far) head() (*http.Request, error) { return http.ReadRequest(f.r) }

func (f *far) request() bool {
	req, err := f.head()
	if err != nil {
		return false
	}
	_, err = io.ReadAll(req.Body)
	return err == nil
}

func (f *far) send(s string) bool {
	_, err := io.WriteString(f, s)
	return err == nil
}

// hold keeps the connection open until the proxy closes it.
func (f *far) hold() { _, _ = io.Copy(io.Discard, f.r) }

// answers serves every request with resp.
func (f *far) answers(resp string) {
	for f.request() && f.send(resp) {
	}
}

// piped makes every dial reach handle.
func piped(wg *sync.WaitGroup, handle func(*far)) func(*transport.Config) {
	return func(c *transport.Config) {
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			near, there := net.Pipe()
			wg.Go(func() {
				defer there.Close()
				handle(newFar(there))
			})
			return near, nil
		}
	}
}

// simulated runs f with a pool whose upstream is handle, in simulated time.
func simulated(t *testing.T, handle func(*far), f func(t *testing.T, p *transport.Pool), edit ...func(*transport.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		t.Cleanup(wg.Wait) // after the pool's end
		p := newPool(t, "upstream:80", append([]func(*transport.Config){piped(&wg, handle)}, edit...)...)
		f(t, p)
	})
}
