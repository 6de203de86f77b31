package transport_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
)

// watched notes whether a body was read.
type watched struct {
	io.Reader
	reads  atomic.Int32
	closed atomic.Int32
}

func (w *watched) Read(p []byte) (int, error) {
	w.reads.Add(1)
	return w.Reader.Read(p)
}

func (w *watched) Close() error {
	w.closed.Add(1)
	return nil
}

func expecting(t *testing.T) (*http.Request, *watched) {
	body := &watched{Reader: strings.NewReader("hello")}
	req := request(t, http.MethodPost, "/", body)
	req.ContentLength = 5
	req.Header.Set("Expect", "100-Continue")
	return req, body
}

// st-expect-100-final-status: a final status before the body means that the
// body stays here and the connection ends.
func TestExpectFinalStatus(t *testing.T) {
	for _, final := range []string{
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	} {
		var surplus atomic.Int64
		simulated(t, func(f *far) {
			_, _ = f.head()
			f.send(final)
			n, _ := io.Copy(io.Discard, f.r)
			surplus.Add(n)
		}, func(t *testing.T, p *transport.Pool) {
			req, body := expecting(t)
			resp, a, err := try(p, req)
			require.NoError(t, err)
			_, err = io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Nil(t, a.Err)
			require.Zero(t, body.reads.Load())
			require.NotZero(t, body.closed.Load())
			require.Zero(t, p.Stats().Idle, "a connection with an unsent body is not used again")
		})
		require.Zero(t, surplus.Load())
	}
}

func TestExpectContinue(t *testing.T) {
	simulated(t, func(f *far) {
		for {
			req, err := f.head()
			if err != nil {
				return
			}
			f.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
			body, _ := io.ReadAll(req.Body)
			if string(body) != "hello" || !f.send(ok) {
				return
			}
		}
	}, func(t *testing.T, p *transport.Pool) {
		for i := range 2 {
			req, body := expecting(t)
			var codes []int
			a := &transport.Attempt{}
			a.On1xx(func(code int, _ http.Header) error {
				require.Zero(t, body.reads.Load())
				codes = append(codes, code)
				return nil
			})
			started := time.Now()
			resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), a)))
			require.NoError(t, err)
			_, err = io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, []int{103, 100}, codes)
			require.Zero(t, time.Since(started))
			require.Equal(t, i == 1, a.Reused)
		}
	})
}

// An upstream that knows no 100 gets the body after a while.
func TestExpectWithoutContinue(t *testing.T) {
	simulated(t, func(f *far) { f.answers(ok) }, func(t *testing.T, p *transport.Pool) {
		req, _ := expecting(t)
		started := time.Now()
		resp, _, err := try(p, req)
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Since(started))
		require.Equal(t, 1, p.Stats().Idle)
	})
}

// st-expect-100-deadlock: neither 100 nor final status.
func TestExpectAndSilence(t *testing.T) {
	simulated(t, func(f *far) { f.hold() }, func(t *testing.T, p *transport.Pool) {
		req, _ := expecting(t)
		started := time.Now()
		_, _, err := try(p, req)
		require.ErrorIs(t, failed(t, err), transport.ErrHeaderTimeout)
		require.Equal(t, time.Second+bound, time.Since(started))
	})
}

func TestExpectAndClose(t *testing.T) {
	simulated(t, func(f *far) { _, _ = f.head() }, func(t *testing.T, p *transport.Pool) {
		req, body := expecting(t)
		_, _, err := try(p, req)
		require.ErrorIs(t, failed(t, err), transport.ErrUpstreamClosed)
		require.Zero(t, body.reads.Load(), "the body is still whole for another try")
	})
}
