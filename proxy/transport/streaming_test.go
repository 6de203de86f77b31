package transport_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// st-1xx-as-final: any number of interim responses, none taken for the answer.
func TestInterimResponses(t *testing.T) {
	for _, n := range []int{0, 1, 5, 2000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			interim := "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n"
			s := rawtest.Serve(t, answer(strings.Repeat(interim, n)+ok))
			p := newPool(t, s.Addr)
			for i := range 2 {
				seen := 0
				a := &transport.Attempt{Number: 1}
				a.On1xx(func(code int, h http.Header) error {
					require.Equal(t, 103, code)
					require.Equal(t, "</a>", h.Get("Link"))
					seen++
					return nil
				})
				req := request(t, http.MethodGet, "/", nil)
				resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), a)))
				require.NoError(t, err)
				require.Equal(t, n, seen)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "ok", string(body))
				require.Equal(t, i == 1, a.Reused)
			}
		})
	}
}

func TestInterimResponsesGoToTheExchange(t *testing.T) {
	s := rawtest.Serve(t, answer("HTTP/1.1 102 Processing\r\n\r\n"+ok))
	p := newPool(t, s.Addr)
	gone := errors.New("gone")
	codes := []int{}
	x := &transport.Exchange{On1xx: func(code int, _ http.Header) error {
		codes = append(codes, code)
		if len(codes) == 2 {
			return gone
		}
		return nil
	}}
	req := request(t, http.MethodGet, "/", nil)
	req = req.WithContext(transport.WithExchange(req.Context(), x))
	get := func() error {
		resp, err := p.RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
		}
		return err
	}
	require.NoError(t, get())
	e := failed(t, get())
	require.ErrorIs(t, e, gone)
	require.Equal(t, transport.SourceClient, e.Source)
	require.Equal(t, []int{102, 102}, codes)
}

func TestEndlessInterimResponsesAreRefused(t *testing.T) {
	s := rawtest.Serve(t, func(c *rawtest.Conn) {
		_, _, _ = c.Request()
		for c.Send(strings.Repeat("HTTP/1.1 102 x\r\n\r\n", 1000)) {
		}
	})
	_, _, err := try(newPool(t, s.Addr), request(t, http.MethodGet, "/", nil))
	require.ErrorIs(t, failed(t, err), transport.ErrMalformed)
}

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
