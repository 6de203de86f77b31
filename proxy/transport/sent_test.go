package transport_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// lateWriter tells its writer that a write has succeeded only after the read
// side has failed and the connection has been given up: a goroutine that was
// put to sleep in between.
type lateWriter struct {
	net.Conn
	once  sync.Once
	given chan struct{}
}

func (c *lateWriter) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	<-c.given
	return n, err
}

func (c *lateWriter) SetDeadline(t time.Time) error {
	if !t.IsZero() && t.Before(time.Now()) {
		c.once.Do(func() { close(c.given) })
	}
	return c.Conn.SetDeadline(t)
}

func (c *lateWriter) Close() error {
	c.once.Do(func() { close(c.given) })
	return c.Conn.Close()
}

// TestSentIsAskedAfterTheUpload: the upstream has the whole request and resets
// the connection before the goroutine that wrote it has counted a byte. The
// request may have run, so nobody may be told that it did not (RFC 9110
// §9.2.2: a POST would be sent again).
func TestSentIsAskedAfterTheUpload(t *testing.T) {
	saw := make(chan string, 1)
	backend := rawtest.Serve(t, func(c *rawtest.Conn) {
		_, body, err := c.Request()
		if err == nil {
			saw <- body
		}
		c.RST()
	})
	p := newPool(t, backend.Addr, func(cfg *transport.Config) {
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &lateWriter{Conn: c, given: make(chan struct{})}, nil
		}
	})
	_, a, err := try(p, request(t, http.MethodPost, "/", strings.NewReader("order")))
	e := failed(t, err)
	require.Equal(t, "order", await(t, saw))
	require.True(t, e.Sent)
	require.False(t, e.Unprocessed)
	require.Positive(t, a.BytesOut)
}
