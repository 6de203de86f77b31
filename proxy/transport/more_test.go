package transport_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// more is what a body offers beside io.ReadCloser.
type more interface {
	io.ReadCloser
	Buffered() int
	More(p []byte) (int, error)
}

// begun asks for a body of 10,000 bytes, of which the server sends 9,000 at
// once, and reads what came with the head.
func begun(t *testing.T, then func(c *rawtest.Conn, step <-chan struct{})) (body more, a *transport.Attempt, goOn chan struct{}) {
	goOn = make(chan struct{})
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		if _, _, err := c.Request(); err != nil {
			return
		}
		c.Send("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat("x", 9000))
		then(c, goOn)
	})
	resp, a, err := try(newPool(t, s.Addr), request(t, http.MethodGet, "/", nil))
	require.NoError(t, err)
	body = resp.Body.(more)
	_, err = io.ReadFull(body, make([]byte, 8500)) // beyond what the connection's buffer takes
	require.NoError(t, err)
	_, err = io.ReadFull(body, make([]byte, 500))
	require.NoError(t, err)
	require.Zero(t, body.Buffered())
	return body, a, goOn
}

// TestMore gives what has come, waits for nothing and ends the body at its end.
func TestMore(t *testing.T) {
	body, a, step := begun(t, func(c *rawtest.Conn, step <-chan struct{}) {
		<-step
		c.Send(strings.Repeat("y", 1000) + "surplus")
		<-step
	})
	buf := make([]byte, 4096)
	n, err := body.More(buf)
	require.NoError(t, err)
	require.Zero(t, n, "nothing has come")
	step <- struct{}{}
	for got, until := 0, time.Now().Add(10*time.Second); err == nil && time.Now().Before(until); got += n {
		n, err = body.More(buf)
		require.LessOrEqual(t, got+n, 1000, "never beyond the body")
	}
	require.Equal(t, io.EOF, err)
	require.Nil(t, a.Err)
	_, err = body.Read(buf)
	require.Equal(t, io.EOF, err)
	close(step)
}

// TestMoreOfACutBody says what Read would have said.
func TestMoreOfACutBody(t *testing.T) {
	for name, cut := range map[string]func(*rawtest.Conn){"FIN": (*rawtest.Conn).FIN, "RST": (*rawtest.Conn).RST} {
		t.Run(name, func(t *testing.T) {
			cutNow := make(chan struct{})
			body, a, step := begun(t, func(c *rawtest.Conn, step <-chan struct{}) {
				<-step
				cut(c)
				close(cutNow)
				<-step
			})
			defer close(step)
			step <- struct{}{}
			await(t, cutNow)
			buf := make([]byte, 4096)
			n, err := body.More(buf)
			if err == nil { // it leaves that to Read
				n, err = body.Read(buf)
			}
			require.Zero(t, n)
			e := failed(t, err)
			require.Equal(t, transport.SourceUpstream, e.Source)
			require.ErrorIs(t, err, transport.ErrTruncated)
			require.Same(t, e, a.Err)
		})
	}
}
