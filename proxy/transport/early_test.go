package transport_test

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// st-early-response-rst: a final answer that comes during the upload is given,
// however the upstream closes after it, and whatever becomes of the writes.
func TestEarlyAnswerDuringAnUpload(t *testing.T) {
	const early = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig"
	for name, end := range map[string]func(*rawtest.Conn){
		"half-close and drain": fin,
		"keeps reading":        (*rawtest.Conn).Drain,
		"stops reading":        func(c *rawtest.Conn) { time.Sleep(20 * time.Millisecond); c.FIN() },
	} {
		t.Run(name, func(t *testing.T) {
			s := rawtest.Serve(t, func(c *rawtest.Conn) {
				if _, err := c.Head(); err != nil || !c.Send(early) {
					return
				}
				end(c)
			})
			p := newPool(t, s.Addr)
			for range 5 {
				resp, a, err := try(p, request(t, http.MethodPost, "/", &endless{limit: 8 << 20}))
				require.NoError(t, err)
				require.Equal(t, 413, resp.StatusCode)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "big", string(body))
				require.Nil(t, a.Err)
				require.Zero(t, p.Stats().Idle)
			}
		})
	}
}

// The answer is in our receive buffer and then every write fails: it still wins.
func TestParsedAnswerBeatsAWriteError(t *testing.T) {
	sent := make(chan bool)
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		if _, err := c.Head(); err != nil {
			return
		}
		c.Send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
		c.FIN()
		close(sent)
		c.Drain()
	})
	body := &gated{open: sent, r: strings.NewReader("late")}
	p := newPool(t, s.Addr, breakWrites(1))
	req := request(t, http.MethodPost, "/", body)
	req.ContentLength = 4
	resp, _, err := try(p, req)
	require.NoError(t, err)
	require.Equal(t, 401, resp.StatusCode)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "no", string(got))
	require.Zero(t, p.Stats().Idle)
}

// Writes fail first and the answer comes later: there is a moment for it.
func TestAnswerAfterAWriteError(t *testing.T) {
	const early = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"
	for name, body := range map[string]io.Reader{"head": nil, "upload": &endless{limit: 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			late := func(f *far) {
				_, _ = f.r.ReadString('\n')
				time.Sleep(time.Second)
				f.send(early)
				f.hold()
			}
			simulated(t, late, func(t *testing.T, p *transport.Pool) {
				resp, a, err := try(p, request(t, http.MethodPut, "/", body))
				require.NoError(t, err)
				require.Equal(t, 413, resp.StatusCode)
				got, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "big", string(got))
				require.Nil(t, a.Err)
				require.Zero(t, p.Stats().Idle)
			}, breakAfterTheLine())
		})
	}
}

// Without an answer the write error is what is told, and soon.
func TestWriteErrorWithoutAnAnswer(t *testing.T) {
	for name, body := range map[string]io.Reader{"head": nil, "upload": &endless{limit: 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			simulated(t, func(f *far) { f.hold() }, func(t *testing.T, p *transport.Pool) {
				started := time.Now()
				_, a, err := try(p, request(t, http.MethodPut, "/", body))
				e := failed(t, err)
				require.ErrorIs(t, e, transport.ErrWrite)
				require.ErrorIs(t, e, syscall.EPIPE)
				require.Equal(t, transport.PhaseWrite, e.Phase)
				require.True(t, e.Sent)
				require.False(t, e.Timeout)
				require.Same(t, e, a.Err)
				require.Less(t, time.Since(started), bound)
			}, breakAfterTheLine())
		})
	}
}

// The answer ends while the client's upload stands still: the upload is
// interrupted, not waited for.
func TestAnswerEndsAStalledUpload(t *testing.T) {
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		if _, err := c.Head(); err == nil {
			c.Send(ok)
		}
		c.Drain()
	})
	p := newPool(t, s.Addr)
	for _, interrupter := range []bool{false, true} {
		body := newStalled()
		req := request(t, http.MethodPost, "/", struct{ io.ReadCloser }{body})
		if interrupter {
			req.Body = interruptible{body}
		}
		resp, a, err := try(p, req)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "ok", string(got))
		await(t, body.freed)
		require.Nil(t, a.Err)
		require.Zero(t, p.Stats().Idle)
	}
}

// A client whose upload breaks off still gets the answer that had begun; the
// upstream hears of it by a FIN within the body.
func TestAnswerUnderWaySurvivesABrokenUpload(t *testing.T) {
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		req, err := c.Head()
		if err != nil {
			return
		}
		c.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
		if _, err := io.ReadAll(req.Body); err != nil {
			c.Send("later")
		}
		c.Drain()
	})
	p := newPool(t, s.Addr)
	head := make(chan bool)
	req := request(t, http.MethodPost, "/", &gated{open: head, r: &failingBody{"hello", io.ErrClosedPipe}})
	resp, a, err := try(p, req)
	require.NoError(t, err)
	close(head)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "firstlater", string(body))
	require.Nil(t, a.Err)
	require.Zero(t, p.Stats().Idle)
}
