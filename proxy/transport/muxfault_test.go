package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

// h2-goaway-race-unretried: streams above the GOAWAY's last are unprocessed,
// whatever their method and body; those at or below it are finished.
func TestMuxGoAway(t *testing.T) {
	for name, body := range map[string]func() io.Reader{
		"no body": func() io.Reader { return nil },
		"1 KiB":   func() io.Reader { return strings.NewReader(strings.Repeat("x", 1<<10)) },
		"10 MiB":  func() io.Reader { return bytes.NewReader(make([]byte, 10<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			first := make(chan bool, 1)
			s, p := h2(t, func(c *rawtest.Conn, h *rawtest.H2) {
				if c.N > 1 {
					echo(c, h)
					return
				}
				h.Next()
				first <- true
				for {
					f := h.Next()
					if f == nil {
						return
					}
					if _, isHead := f.(*http2.MetaHeadersFrame); isHead {
						break
					}
				}
				h.GoAway(1, http2.ErrCodeNo)
				h.Answer(1, "finished")
			})
			var wg sync.WaitGroup
			wg.Go(func() {
				body, a := get(t, p, "/1")
				require.Equal(t, "finished", body)
				require.Nil(t, a.Err)
			})
			await(t, first)
			_, a, err := try(p, request(t, http.MethodPost, "/3", body()))
			e := failed(t, err)
			require.True(t, e.Unprocessed)
			require.True(t, e.Sent)
			require.Equal(t, transport.SourceUpstream, e.Source)
			require.ErrorIs(t, e, transport.ErrUpstreamClosed)
			wg.Wait()
			req := request(t, http.MethodPost, "/again", body())
			again := &transport.Attempt{Number: 2, Fresh: true}
			resp, err := p.RoundTrip(req.WithContext(transport.WithAttempt(req.Context(), again)))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.NotEqual(t, a.ConnID, again.ConnID)
			require.Equal(t, 2, s.Accepted())
		})
	}
}

// A stream that the GOAWAY includes may have run: when the connection ends
// before its answer nobody can tell.
// waiting is a client's body of which nothing more comes until it is interrupted.
type waiting struct {
	io.Reader
	once    sync.Once
	release chan struct{}
}

func (w *waiting) Read(p []byte) (int, error) {
	if n, err := w.Reader.Read(p); err == nil {
		return n, nil
	}
	<-w.release
	return 0, os.ErrDeadlineExceeded
}

func (w *waiting) Close() error { return nil }
func (w *waiting) Interrupt()   { w.once.Do(func() { close(w.release) }) }

// An upload that we break off because its stream is over is no failure of the
// client's: it is the server who has to answer for it.
func TestMuxUploadBrokenOffByUs(t *testing.T) {
	for name, end := range map[string]func(h *rawtest.H2, stream uint32){
		"goaway":  func(h *rawtest.H2, _ uint32) { h.GoAway(0, http2.ErrCodeNo) },
		"refused": func(h *rawtest.H2, stream uint32) { h.Reset(stream, http2.ErrCodeRefusedStream) },
	} {
		t.Run(name, func(t *testing.T) {
			_, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
				for f := h.Next(); f != nil; f = h.Next() {
					if d, is := f.(*http2.DataFrame); is && len(d.Data()) > 0 { // the next read waits, or is about to
						end(h, d.StreamID)
					}
				}
			})
			body := &waiting{Reader: strings.NewReader("first"), release: make(chan struct{})}
			req := request(t, http.MethodPost, "/", body)
			req.ContentLength = 100
			_, _, err := try(p, req)
			e := failed(t, err)
			require.Equal(t, transport.SourceUpstream, e.Source)
			require.NotErrorIs(t, e, transport.ErrRequestBody)
			require.True(t, e.Unprocessed)
		})
	}
}

func TestMuxGoAwayBelowLastIsNotUnprocessed(t *testing.T) {
	for _, code := range []http2.ErrCode{http2.ErrCodeNo, http2.ErrCodeInternal} {
		_, p := h2(t, func(c *rawtest.Conn, h *rawtest.H2) {
			h.Next()
			h.GoAway(1, code)
			c.FIN()
		})
		_, _, err := try(p, request(t, http.MethodPost, "/", nil))
		e := failed(t, err)
		require.ErrorIs(t, e, transport.ErrUpstreamClosed)
		require.True(t, e.Sent)
		require.False(t, e.Unprocessed)
	}
}

// Two phases (RFC 9113 §6.8): a GOAWAY that takes everything, then the truth.
func TestMuxGoAwayInTwoPhases(t *testing.T) {
	arrived := make(chan bool, 2)
	_, p := h2(t, func(c *rawtest.Conn, h *rawtest.H2) {
		if c.N > 1 {
			echo(c, h)
			return
		}
		for range 2 {
			h.Next()
			arrived <- true
		}
		h.GoAway(1<<31-1, http2.ErrCodeNo)
		h.GoAway(1, http2.ErrCodeNo)
		h.Answer(1, "kept")
	})
	results := make(chan error, 2)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			resp, _, err := try(p, request(t, http.MethodPost, "/", nil))
			if err == nil {
				err = resp.Body.Close()
			}
			results <- err
		})
	}
	wg.Wait()
	errs := []error{<-results, <-results}
	if errs[0] == nil {
		errs[0], errs[1] = errs[1], errs[0]
	}
	require.NoError(t, errs[1])
	require.True(t, failed(t, errs[0]).Unprocessed)
}

// h2-refused-stream, h2-truncation-as-clean and what else a server does to one
// stream: each is named, and the connection serves on.
func TestMuxStreamFaults(t *testing.T) {
	for name, c := range map[string]struct {
		do          func(h *rawtest.H2, id uint32)
		want        error
		phase       transport.Phase
		unprocessed bool
	}{
		"refused":          {func(h *rawtest.H2, id uint32) { h.Reset(id, http2.ErrCodeRefusedStream) }, transport.ErrStreamReset, transport.PhaseHeaders, true},
		"reset":            {func(h *rawtest.H2, id uint32) { h.Reset(id, http2.ErrCodeInternal) }, transport.ErrStreamReset, transport.PhaseHeaders, false},
		"reset NO_ERROR":   {func(h *rawtest.H2, id uint32) { h.Reset(id, http2.ErrCodeNo) }, transport.ErrStreamReset, transport.PhaseHeaders, false},
		"reset PROTOCOL":   {func(h *rawtest.H2, id uint32) { h.Reset(id, http2.ErrCodeProtocol) }, transport.ErrStreamReset, transport.PhaseHeaders, false},
		"no status":        {func(h *rawtest.H2, id uint32) { h.Headers(id, true, "x", "y") }, transport.ErrMalformed, transport.PhaseHeaders, false},
		"101":              {func(h *rawtest.H2, id uint32) { h.Headers(id, false, ":status", "101") }, transport.ErrMalformed, transport.PhaseHeaders, false},
		"end in a 103":     {func(h *rawtest.H2, id uint32) { h.Headers(id, true, ":status", "103") }, transport.ErrMalformed, transport.PhaseHeaders, false},
		"status 42":        {func(h *rawtest.H2, id uint32) { h.Headers(id, true, ":status", "42") }, transport.ErrMalformed, transport.PhaseHeaders, false},
		"upper case field": {func(h *rawtest.H2, id uint32) { h.Headers(id, true, ":status", "200", "X", "y") }, transport.ErrMalformed, transport.PhaseHeaders, false},
		"DATA first":       {func(h *rawtest.H2, id uint32) { h.Data(id, true, "x") }, transport.ErrMalformed, transport.PhaseHeaders, false},
		"cut by a reset": {func(h *rawtest.H2, id uint32) {
			h.Headers(id, false, ":status", "200")
			h.Data(id, false, "half")
			h.Reset(id, http2.ErrCodeNo)
		}, transport.ErrTruncated, transport.PhaseBody, false},
		"refused in the body": {func(h *rawtest.H2, id uint32) {
			h.Headers(id, false, ":status", "200", "content-length", "9")
			h.Reset(id, http2.ErrCodeCancel)
		}, transport.ErrTruncated, transport.PhaseBody, false},
		"short of its length": {func(h *rawtest.H2, id uint32) {
			h.Headers(id, false, ":status", "200", "content-length", "9")
			h.Data(id, true, "half")
		}, transport.ErrTruncated, transport.PhaseBody, false},
		"length without a body": {func(h *rawtest.H2, id uint32) {
			h.Headers(id, true, ":status", "200", "content-length", "9")
		}, transport.ErrTruncated, transport.PhaseBody, false},
		"beyond its length": {func(h *rawtest.H2, id uint32) {
			h.Headers(id, false, ":status", "200", "content-length", "2")
			h.Data(id, true, "four")
		}, transport.ErrMalformed, transport.PhaseBody, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
				for {
					id, path := h.Request()
					switch {
					case id == 0:
						return
					case path == "/fault":
						c.do(h, id)
					default:
						h.Answer(id, path)
					}
				}
			})
			get(t, p, "/warm")
			resp, a, err := try(p, request(t, http.MethodPost, "/fault", nil))
			if c.phase == transport.PhaseBody {
				require.NoError(t, err)
				_, err = io.ReadAll(resp.Body)
			}
			e := failed(t, err)
			require.ErrorIs(t, e, c.want)
			require.Equal(t, c.phase, e.Phase)
			require.Equal(t, c.unprocessed, e.Unprocessed)
			require.Equal(t, transport.SourceUpstream, e.Source)
			require.True(t, e.Reused)
			require.Same(t, e, a.Err)
			body, _ := get(t, p, "/after")
			require.Equal(t, "/after", body)
			if name != "reset PROTOCOL" { // x/net then prefers another connection
				require.Equal(t, 1, s.Accepted())
			}
		})
	}
}

// A connection that breaks takes all its streams with it, each with the truth.
func TestMuxConnectionLost(t *testing.T) {
	arrived := make(chan bool, 3)
	s, p := h2(t, func(c *rawtest.Conn, h *rawtest.H2) {
		if c.N > 1 {
			echo(c, h)
			return
		}
		for range 3 {
			h.Request()
			arrived <- true
		}
		h.Headers(1, false, ":status", "200")
		h.Data(1, false, "half")
		c.RST()
	})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			resp, _, err := try(p, request(t, http.MethodGet, "/", nil))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
			}
			e := failed(t, err)
			require.False(t, e.Unprocessed)
			require.ErrorIs(t, e, transport.ErrUpstreamClosed)
		})
	}
	wg.Wait()
	body, a := get(t, p, "/next")
	require.Equal(t, "/next", body)
	require.False(t, a.Reused)
	require.Equal(t, 2, s.Accepted())
}

// Each phase has its own bound and its own name.
func TestMuxTimeouts(t *testing.T) {
	const short = 30 * time.Millisecond
	for name, c := range map[string]struct {
		edit   func(*transport.Config)
		do     func(h *rawtest.H2, id uint32)
		body   func() io.Reader
		want   error
		phase  transport.Phase
		retire bool
	}{
		"headers": {func(c *transport.Config) { c.Timeouts.Headers = short }, func(*rawtest.H2, uint32) {}, nil, transport.ErrHeaderTimeout, transport.PhaseHeaders, true},
		"body": {func(c *transport.Config) { c.Timeouts.BodyIdle = short }, func(h *rawtest.H2, id uint32) {
			h.Headers(id, false, ":status", "200")
			h.Data(id, false, "x")
		}, nil, transport.ErrBodyIdleTimeout, transport.PhaseBody, false},
		"write": {
			func(c *transport.Config) { c.Timeouts.Write = short }, func(*rawtest.H2, uint32) {},
			func() io.Reader { return bytes.NewReader(make([]byte, 1<<20)) }, transport.ErrWriteTimeout, transport.PhaseWrite, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
				for { // no window is given back: an upload stalls
					switch f := h.Next().(type) {
					case nil:
						return
					case *http2.MetaHeadersFrame:
						if f.PseudoValue("path") == "/fault" {
							c.do(h, f.StreamID)
							continue
						}
						h.Answer(f.StreamID, "ok")
					}
				}
			}, c.edit)
			get(t, p, "/warm")
			var b io.Reader
			if c.body != nil {
				b = c.body()
			}
			resp, _, err := try(p, request(t, http.MethodPut, "/fault", b))
			if c.phase == transport.PhaseBody {
				require.NoError(t, err)
				_, err = io.ReadAll(resp.Body)
			}
			e := failed(t, err)
			require.ErrorIs(t, e, c.want)
			require.Equal(t, c.phase, e.Phase)
			require.True(t, e.Timeout)
			require.Equal(t, transport.SourceUpstream, e.Source)
			_, a := get(t, p, "/after")
			require.Equal(t, !c.retire, a.Reused)
			want := 1
			if c.retire {
				want = 2
			}
			require.Equal(t, want, s.Accepted())
		})
	}
}

// The wait for a stream is bounded, in time and in number.
func TestMuxQueue(t *testing.T) {
	arrived := make(chan bool, 1)
	_, p := h2With(t, streams(1), func(_ *rawtest.Conn, h *rawtest.H2) {
		id, _ := h.Request()
		arrived <- true
		if h.Next() == nil { // until it is reset
			return
		}
		_ = id
	}, func(c *transport.Config) {
		c.MaxConnections, c.MaxWaiting, c.Timeouts.Queue = 1, 1, 20*time.Millisecond
	})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _, _, _ = try(p, request(t, http.MethodGet, "/", nil).WithContext(ctx)) })
	await(t, arrived)
	_, a, err := try(p, request(t, http.MethodPost, "/", nil))
	e := failed(t, err)
	require.ErrorIs(t, e, transport.ErrPoolTimeout)
	require.True(t, e.Unprocessed)
	require.Equal(t, transport.SourceProxy, e.Source)
	require.Positive(t, a.Queue)
	cancel()
	wg.Wait()
}

// h2-flow-control-stall: an unread response and an unread upload hold up
// nobody else, nor do a hundred that were given up.
func TestMuxBystanders(t *testing.T) {
	s, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
		big := strings.Repeat("x", 16<<10)
		for {
			switch f := h.Next().(type) {
			case nil:
				return
			case *http2.MetaHeadersFrame:
				switch f.PseudoValue("path") {
				case "/big":
					h.Headers(f.StreamID, false, ":status", "200")
					for range 32 { // the whole of the stream's window
						h.Data(f.StreamID, false, big)
					}
				case "/stuck":
				default:
					h.Answer(f.StreamID, "ok")
				}
			}
		}
	})
	unread, _, err := try(p, request(t, http.MethodGet, "/big", nil))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _, err := try(p, request(t, http.MethodPut, "/stuck", strings.NewReader("held")).WithContext(ctx))
		require.Error(t, err)
	})
	for range 100 {
		resp, _, err := try(p, request(t, http.MethodGet, "/big", nil))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		body, _ := get(t, p, "/small")
		require.Equal(t, "ok", body)
	}
	cancel()
	wg.Wait()
	n, err := io.CopyN(io.Discard, unread.Body, 32*16<<10)
	require.NoError(t, err)
	require.Equal(t, int64(32*16<<10), n)
	require.NoError(t, unread.Body.Close())
	require.Equal(t, 1, s.Accepted())
}

// st-early-response, HTTP/2: an answer that comes before the upload has ended
// is kept, also when the server resets the rest with NO_ERROR (RFC 9113 §8.1).
func TestMuxEarlyAnswer(t *testing.T) {
	for name, reset := range map[string]bool{"RST_STREAM NO_ERROR": true, "END_STREAM alone": false} {
		for _, status := range []string{"200", "413"} {
			t.Run(name+" "+status, func(t *testing.T) {
				s, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
					for {
						f, isHead := h.Next().(*http2.MetaHeadersFrame)
						if !isHead {
							break
						}
						id := f.StreamID
						if f.StreamEnded() {
							h.Answer(id, "ok")
							continue
						}
						h.Headers(id, false, ":status", status, "content-length", "5")
						h.Data(id, true, "early")
						if reset {
							h.Reset(id, http2.ErrCodeNo)
						}
						for f := h.Next(); f != nil; f = h.Next() {
							if f, isHead := f.(*http2.MetaHeadersFrame); isHead {
								h.Answer(f.StreamID, "ok")
							}
						}
					}
				})
				body := newDripping()
				resp, _, err := try(p, request(t, http.MethodPost, "/", body))
				require.NoError(t, err)
				got, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "early", string(got))
				require.True(t, body.isClosed(), "the client's body is let go")
				after, _ := get(t, p, "/after")
				require.Equal(t, "ok", after)
				require.Equal(t, 1, s.Accepted())
			})
		}
	}
}

// dripping gives a byte and then blocks until it is closed.
type dripping struct {
	one    sync.Once
	closed chan struct{}
	end    sync.Once
}

func newDripping() *dripping { return &dripping{closed: make(chan struct{})} }

func (e *dripping) Read(p []byte) (n int, err error) {
	e.one.Do(func() { n = copy(p, "x") })
	if n > 0 {
		return n, nil
	}
	<-e.closed
	return 0, errors.New("closed")
}

func (e *dripping) Close() error { e.end.Do(func() { close(e.closed) }); return nil }

func (e *dripping) isClosed() bool {
	select {
	case <-e.closed:
		return true
	default:
		return false
	}
}

// A body that the client breaks off is the client's doing, and the server does
// not see it end well.
func TestMuxBrokenUpload(t *testing.T) {
	reset := make(chan http2.ErrCode, 1)
	_, p := h2(t, func(_ *rawtest.Conn, h *rawtest.H2) {
		for f := h.Next(); f != nil; f = h.Next() {
			if r, isReset := f.(*http2.RSTStreamFrame); isReset {
				reset <- r.ErrCode
			}
		}
	})
	req := request(t, http.MethodPost, "/", io.MultiReader(strings.NewReader("part"), broken{}))
	_, _, err := try(p, req)
	e := failed(t, err)
	require.ErrorIs(t, e, transport.ErrRequestBody)
	require.Equal(t, transport.SourceClient, e.Source)
	require.Equal(t, http2.ErrCodeCancel, await(t, reset))

	req = request(t, http.MethodPost, "/", strings.NewReader("part"))
	req.ContentLength = 10
	_, _, err = try(p, req)
	require.ErrorIs(t, failed(t, err), transport.ErrRequestBody)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, http2.ErrCodeCancel, await(t, reset))
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("client broke off") }

// What cannot be had is told to all who wait for it, each with its own error.
func TestMuxDialFailures(t *testing.T) {
	refused := unusedAddr(t)
	silent := rawtest.Serve(t, (*rawtest.Conn).Drain)
	h1 := rawtest.Serve(t, func(c *rawtest.Conn) { c.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") })
	for name, c := range map[string]struct {
		addr string
		want error
	}{"refused": {refused, transport.ErrConnect}, "silent": {silent.Addr, transport.ErrConnectTimeout}, "HTTP/1.1": {h1.Addr, transport.ErrConnect}} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, c.addr, func(cfg *transport.Config) {
				cfg.Protocol, cfg.Timeouts.Connect = transport.HTTP2, 50*time.Millisecond
			})
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					_, a, err := try(p, request(t, http.MethodPost, "/", nil))
					e := failed(t, err)
					require.ErrorIs(t, e, c.want)
					require.Equal(t, transport.PhaseDial, e.Phase)
					require.True(t, e.Unprocessed)
					require.Equal(t, name == "silent", e.Timeout)
					require.Same(t, e, a.Err)
					if name == "refused" {
						require.ErrorIs(t, e, syscall.ECONNREFUSED)
					}
				})
			}
			wg.Wait()
			require.Equal(t, uint64(map[bool]int{true: 0, false: 1}[name == "refused"]), min(p.Stats().Dialed, 1))
		})
	}
}

// unusedAddr refuses connections.
func unusedAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return ln.Addr().String()
}
