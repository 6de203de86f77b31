package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

func TestUploads(t *testing.T) {
	for _, size := range []int{1, 100, 4 << 10, 32 << 10, 33 << 10, 1 << 20} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(size, chunked), func(t *testing.T) {
				want := strings.Repeat("0123456789abcdef", size/16+1)[:size]
				got := make(chan string, 4)
				s := rawtest.Serve(t, func(c *rawtest.Conn) {
					for {
						req, body, err := c.Request()
						if err != nil {
							return
						}
						got <- fmt.Sprint(len(req.TransferEncoding), req.ContentLength, body == want)
						c.Send(ok)
					}
				})
				p := newPool(t, s.Addr)
				var body io.Reader = strings.NewReader(want)
				expected := fmt.Sprint(0, size, true)
				if chunked {
					body = upload(want)
					expected = fmt.Sprint(1, -1, true)
				}
				for i := range 2 {
					if i > 0 {
						body = strings.NewReader(want)
						expected = fmt.Sprint(0, size, true)
					}
					resp, a, err := try(p, request(t, http.MethodPost, "/", body))
					require.NoError(t, err)
					_, err = io.ReadAll(resp.Body)
					require.NoError(t, err)
					require.Equal(t, expected, await(t, got))
					require.Equal(t, i == 1, a.Reused, "a complete upload leaves the connection usable")
					require.Greater(t, a.BytesOut, int64(size))
				}
			})
		}
	}
}

func TestHeadAndSmallBodyGoOutTogether(t *testing.T) {
	var writes atomic.Int32
	simulated(t, func(f *far) { f.answers(ok) }, func(t *testing.T, p *transport.Pool) {
		for _, c := range []struct {
			body io.Reader
			want int32
		}{
			{nil, 1},
			{strings.NewReader("hello"), 1},
			{upload("hello"), 2}, // this reader tells its end by a read of its own
			{upload(""), 1},
		} {
			writes.Store(0)
			resp, _, err := try(p, request(t, http.MethodPost, "/", c.body))
			require.NoError(t, err)
			_, err = io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, c.want, writes.Load())
		}
	}, countWrites(&writes))
}

// A head does not wait for a body that is slow to come.
func TestHeadGoesAheadOfASlowBody(t *testing.T) {
	head := make(chan bool)
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		req, err := c.Head()
		if err != nil {
			return
		}
		head <- true
		body, err := io.ReadAll(req.Body)
		if err == nil {
			c.Send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}
	})
	r, w := io.Pipe()
	go func() {
		<-head
		_, _ = io.WriteString(w, "slow")
		_ = w.Close()
	}()
	resp, _, err := try(newPool(t, s.Addr), request(t, http.MethodPost, "/", r))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "slow", string(body))
}

func TestRequestTrailers(t *testing.T) {
	got := make(chan http.Header, 1)
	announced := make(chan []string, 1)
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		req, err := c.Head()
		if err != nil {
			return
		}
		names := []string{}
		for name := range req.Trailer {
			names = append(names, name)
		}
		announced <- names
		_, _ = io.ReadAll(req.Body)
		got <- req.Trailer
		c.Send(ok)
	})
	req := request(t, http.MethodPost, "/", nil)
	req.Trailer = http.Header{"X-A": nil}
	req.ContentLength = -1
	req.Body = &endingBody{Reader: strings.NewReader("hello"), end: func() {
		req.Trailer["X-A"] = []string{"1"}
		req.Trailer["X-B"] = []string{"2"}
		req.Trailer["Host"] = []string{"evil"}
		req.Trailer["X-Bad"] = []string{"a\r\nb"}
	}}
	resp, _, err := try(newPool(t, s.Addr), req)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, []string{"X-A"}, await(t, announced))
	require.Equal(t, http.Header{"X-A": {"1"}, "X-B": {"2"}}, await(t, got))
}

type endingBody struct {
	io.Reader
	end func()
}

func (b *endingBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		b.end()
	}
	return n, err
}

func (b *endingBody) Close() error { return nil }

// cf-upload-truncated-as-complete: an upload that broke off does not look
// complete.
func TestBrokenUpload(t *testing.T) {
	for name, c := range map[string]struct {
		length int64
		body   io.Reader
		cause  error
	}{
		"length":        {10, &failingBody{"hello", io.ErrUnexpectedEOF}, io.ErrUnexpectedEOF},
		"chunked":       {-1, &failingBody{"hello", io.ErrClosedPipe}, io.ErrClosedPipe},
		"ends too soon": {10, strings.NewReader("hello"), io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			s := rawtest.Serve(t, func(c *rawtest.Conn) {
				_, _, err := c.Request()
				ended <- err
			})
			req := request(t, http.MethodPut, "/", c.body)
			req.ContentLength = c.length
			_, a, err := try(newPool(t, s.Addr), req)
			e := failed(t, err)
			require.ErrorIs(t, e, transport.ErrRequestBody)
			require.ErrorIs(t, e, c.cause)
			require.Equal(t, transport.SourceClient, e.Source)
			require.Equal(t, transport.PhaseWrite, e.Phase)
			require.Same(t, e, a.Err)
			require.Error(t, await(t, ended), "the upstream must not take it for a whole body")
		})
	}
}

func TestBodyLongerThanItsLengthIsCut(t *testing.T) {
	got := make(chan string, 1)
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		_, body, _ := c.Request()
		got <- body
		c.Send(ok)
		c.Drain()
	})
	req := request(t, http.MethodPut, "/", strings.NewReader("hello, world"))
	req.ContentLength = 5
	resp, _, err := try(newPool(t, s.Addr), req)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", await(t, got))
}
