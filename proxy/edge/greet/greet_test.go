package greet_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/http2"

	"gauntlet/proxy/edge/clientconn"
	"gauntlet/proxy/edge/greet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// greeting runs a greeter until the test ends.
func greeting(t *testing.T, cfg greet.Config) (g *greet.Greeter, addr string) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	raw, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	set := clientconn.NewSet(0, 0)
	ln := set.Listen(raw)
	g = greet.New(cfg, raw.Addr())
	var serving sync.WaitGroup
	serving.Go(func() { _ = g.Serve(ln) })
	t.Cleanup(func() {
		_ = ln.Close()
		_, _ = g.HTTP1().Close(), g.HTTP2().Close()
		set.Cut()
		serving.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, set.WaitEmpty(ctx))
	})
	return g, raw.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestWhoSpeaksWhat: a connection comes out where its first bytes belong, with
// all of them.
func TestWhoSpeaksWhat(t *testing.T) {
	g, addr := greeting(t, greet.Config{H2C: true, Timeout: patience})
	for text, h2 := range map[string]bool{
		http2.ClientPreface + "more": true, "GET / HTTP/1.1\r\n\r\n": false, "P": false, "PRI * HTTP/1.1\r\n": false,
	} {
		c := dial(t, addr)
		for _, b := range []byte(text) { // one segment each, as far as TCP lets us
			_, err := c.Write([]byte{b})
			require.NoError(t, err)
		}
		if text == "P" {
			_, err := io.WriteString(c, "UT")
			require.NoError(t, err)
			text = "PUT"
		}
		door := g.HTTP1()
		if h2 {
			door = g.HTTP2()
		}
		nc, err := door.Accept()
		require.NoError(t, err)
		got := make([]byte, len(text))
		_, err = io.ReadFull(nc, got)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
		_ = c.Close()
		_ = nc.Close()
	}
}

// TestSilence: a client that says nothing is closed when its time is over.
func TestSilence(t *testing.T) {
	_, addr := greeting(t, greet.Config{H2C: true, Timeout: 50 * time.Millisecond})
	got, err := io.ReadAll(dial(t, addr))
	require.NoError(t, err)
	require.Empty(t, got)
}

// TestTooLate: who comes when HTTP/2 is no longer served learns that nothing
// was processed.
func TestTooLate(t *testing.T) {
	g, addr := greeting(t, greet.Config{H2C: true, Timeout: patience})
	require.NoError(t, g.HTTP2().Close())
	c := dial(t, addr)
	_, err := io.Copy(c, strings.NewReader(http2.ClientPreface))
	require.NoError(t, err)
	fr := http2.NewFramer(c, c)
	f, err := fr.ReadFrame()
	require.NoError(t, err)
	require.IsType(t, &http2.SettingsFrame{}, f)
	f, err = fr.ReadFrame()
	require.NoError(t, err)
	require.IsType(t, &http2.GoAwayFrame{}, f)
	require.Zero(t, f.(*http2.GoAwayFrame).LastStreamID)
	require.Equal(t, http2.ErrCodeNo, f.(*http2.GoAwayFrame).ErrCode)
	_ = c.(*net.TCPConn).CloseWrite()
	_, err = fr.ReadFrame()
	require.Error(t, err)
}
