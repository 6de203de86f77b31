package transport_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"

func upgrade(t *testing.T) *http.Request {
	req := request(t, http.MethodGet, "/", nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "foo")
	return req
}

type tunnel interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// st-upgrade-early-bytes-lost and st-upgrade-half-close.
func TestTunnel(t *testing.T) {
	got := make(chan string, 1)
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		if _, err := c.Head(); err != nil {
			return
		}
		c.Send(switching + "SRV-EARLY")
		all, _ := io.ReadAll(c.R) // until the proxy half-closes
		got <- string(all)
		c.Send("TAIL")
	})
	p := newPool(t, s.Addr)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, a, err := try(p, upgrade(t).WithContext(ctx))
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	require.Equal(t, "tunnel", a.Framing)
	tun, isTunnel := resp.Body.(tunnel)
	require.True(t, isTunnel)
	cancel() // no business of the tunnel's any more

	ended := make(chan bool, 1)
	a.OnDone(func(*transport.Attempt) { ended <- true })
	early := make([]byte, len("SRV-EARLY"))
	_, err = io.ReadFull(tun, early)
	require.NoError(t, err)
	require.Equal(t, "SRV-EARLY", string(early))
	_, err = io.WriteString(tun, "EARLY")
	require.NoError(t, err)
	_, err = io.WriteString(tun, "LATER")
	require.NoError(t, err)
	require.NoError(t, tun.CloseWrite())
	require.Equal(t, "EARLYLATER", await(t, got))
	tail, err := io.ReadAll(tun)
	require.NoError(t, err)
	require.Equal(t, "TAIL", string(tail))
	require.Empty(t, ended)
	require.Equal(t, 1, p.Stats().Leased)
	require.NoError(t, tun.Close())
	require.NoError(t, tun.Close())
	await(t, ended)
	require.Nil(t, a.Err)
	require.Equal(t, int64(len(switching+"SRV-EARLY"+"TAIL")), a.BytesIn)
	require.Equal(t, transport.Stats{Dialed: 1}, p.Stats())
}

// st-upgrade-body-wrapped: no timeout acts on a tunnel.
func TestTunnelOutlivesEveryTimeout(t *testing.T) {
	simulated(t, func(f *far) {
		_, _ = f.head()
		f.send(switching)
		time.Sleep(100 * bound)
		f.send("late")
		_, _ = io.ReadAll(f.r)
	}, func(t *testing.T, p *transport.Pool) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*bound, transport.ErrDeadline)
		defer cancel()
		resp, _, err := try(p, upgrade(t).WithContext(ctx))
		require.NoError(t, err)
		late := make([]byte, 4)
		_, err = io.ReadFull(resp.Body, late)
		require.NoError(t, err)
		require.Equal(t, "late", string(late))
		time.Sleep(100 * bound)
		_, err = resp.Body.(tunnel).Write([]byte("still here"))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	})
}

func TestTunnelCloseFreesAReader(t *testing.T) {
	s := rawtest.Serve(t, once(switching, (*rawtest.Conn).Drain))
	p := newPool(t, s.Addr)
	resp, _, err := try(p, upgrade(t))
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := resp.Body.Read(make([]byte, 1))
		done <- err
	}()
	require.NoError(t, resp.Body.Close())
	require.Error(t, await(t, done))
}

// hs-premature-upgrade: without 101 it is an ordinary exchange.
func TestRefusedUpgrade(t *testing.T) {
	s := rawtest.Serve(t, answer(ok))
	p := newPool(t, s.Addr)
	resp, _, err := try(p, upgrade(t))
	require.NoError(t, err)
	_, isTunnel := resp.Body.(tunnel)
	require.False(t, isTunnel)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "ok", string(body))
}

func TestSwitchBeforeTheRequestIsComplete(t *testing.T) {
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		_, _ = c.Head()
		c.Send(switching)
		c.Drain()
	})
	req := upgrade(t)
	req.Method, req.ContentLength, req.Body = http.MethodPost, 10, io.NopCloser(strings.NewReader("hello"))
	body := newStalled()
	req.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(strings.NewReader("hello"), body), body}
	_, _, err := try(newPool(t, s.Addr), req)
	require.ErrorIs(t, failed(t, err), transport.ErrMalformed)
}
