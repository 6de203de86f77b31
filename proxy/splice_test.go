package proxy_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/edge"
)

// large is a body that sockets' buffers cannot hold, so that whoever sends it
// waits for whoever reads it.
const large = 64 << 20

// needPipes skips a test of what only this kernel can do.
func needPipes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("bodies are copied here")
	}
}

// pour sends a body of n bytes for as long as the other side takes it.
func (w *wire) pour(n int) {
	part := make([]byte, 64<<10)
	for n > 0 {
		m, err := w.Write(part[:min(n, len(part))])
		if n -= m; err != nil {
			return
		}
	}
}

// TestSplicedBodyIsWhole sends bodies of many sizes, spliced or sent in one
// piece with their head, each connection serving all of them, and pipelined ones, where a byte too many or too few shows.
func TestSplicedBodyIsWhole(t *testing.T) {
	needPipes(t)
	sizes := []int{1, 3000, 4 << 10, 5000, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 64<<10 + 1, 1 << 20, 3<<20 + 17}
	content := make([]byte, 4<<20)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content)
	r := start(t, answering(t, func(w *wire, req *http.Request, _ string) {
		var n int
		_, _ = fmt.Sscanf(req.URL.Path, "/%d", &n)
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n", n)
		_, _ = w.Write(content[:n])
	}))
	for _, version := range []string{"1.1", "1.0"} {
		cl := r.dial()
		var all strings.Builder
		for _, n := range sizes {
			fmt.Fprintf(&all, "GET /%d HTTP/%s\nHost: x\nConnection: keep-alive\n\n", n, version)
		}
		cl.send(all.String())
		for _, n := range sizes {
			resp, body := cl.response("GET")
			require.Equal(t, int64(n), resp.ContentLength)
			require.Zero(t, strings.Compare(string(content[:n]), body), "%d bytes", n)
			eventually(t, func() bool { return strings.Contains(r.log.String(), fmt.Sprintf(`"bytes":%d,`, n)) }, "log")
		}
	}
	require.Greater(t, r.p.Pools().Spliced, int64(8<<20))
	require.Equal(t, uint64(1), r.p.Pools().Endpoints[0].Dialed, "a body that is whole leaves its connection usable")
}

// TestSplicedAtOnce has each part wait for the one before to be seen.
func TestSplicedAtOnce(t *testing.T) {
	needPipes(t)
	saw := make(chan struct{})
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n", 100_000+99)
		w.send(strings.Repeat("x", 100_000))
		for range 99 {
			w.await(saw)
			w.send("y")
		}
	}))
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, err := http.ReadResponse(cl.br, nil)
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, resp.Body, 100_000)
	require.NoError(t, err)
	for range 99 {
		saw <- struct{}{}
		_, err = io.CopyN(io.Discard, resp.Body, 1)
		require.NoError(t, err)
	}
	eventually(t, func() bool { return r.p.Pools().Spliced > 50_000 }, "spliced")
}

// TestWhoFailed cuts bodies that pass within the kernel and such that are
// copied, and holds the same side to account in both.
func TestWhoFailed(t *testing.T) {
	needPipes(t)
	const part = 1 << 20
	framings := map[string]string{"spliced": fmt.Sprintf("Content-Length: %d\n\n", large), "copied": fmt.Sprintf("Transfer-Encoding: chunked\n\n%x\n", large)}
	for name, c := range map[string]struct {
		backend func(w *wire, seen chan struct{})
		client  func(w *wire, seen chan struct{})
		class   string
		times   int    // more than the breaker tolerates, unless each takes its time
		breaker string // afterwards
	}{
		"upstream ends": {
			func(w *wire, _ chan struct{}) { w.pour(part) },
			func(w *wire, _ chan struct{}) { _, _ = w.rest() },
			"upstream_truncated", 8, "open",
		},
		"upstream resets": {
			func(w *wire, seen chan struct{}) { w.pour(part); w.await(seen); w.reset() },
			func(w *wire, seen chan struct{}) { w.skip(part); close(seen); _, _ = w.rest() },
			"upstream_truncated", 8, "open",
		},
		"upstream stalls": {
			func(w *wire, _ chan struct{}) { w.pour(part); _, _ = w.rest() },
			func(w *wire, _ chan struct{}) { _, _ = w.rest() },
			"body_timeout", 8, "open",
		},
		"client resets": {
			func(w *wire, _ chan struct{}) { w.pour(large) },
			func(w *wire, _ chan struct{}) { w.skip(part); w.reset() },
			"client_gone", 8, "closed",
		},
		"client resets while nothing comes": {
			func(w *wire, _ chan struct{}) { w.pour(part); _, _ = w.rest() },
			func(w *wire, _ chan struct{}) { w.skip(part); w.reset() },
			"client_gone", 8, "closed",
		},
		"client reads nothing": {
			func(w *wire, _ chan struct{}) { w.pour(large) },
			func(*wire, chan struct{}) {},
			"client_gone", 2, "closed",
		},
	} {
		for framing, head := range framings {
			t.Run(name+"/"+framing, func(t *testing.T) {
				t.Parallel()
				seen := make(chan chan struct{}, 1)
				r := start(t, backend(t, func(w *wire) {
					w.head()
					w.send("HTTP/1.1 200 OK\n" + head)
					c.backend(w, <-seen)
				}), func(cfg *config.Config, _ *proxy.Parts) {
					cfg.Limits.WriteTimeout = 300 * time.Millisecond
					cfg.Upstreams["api"].Timeouts.BodyIdle = 2 * time.Second
					if name == "upstream stalls" {
						cfg.Upstreams["api"].Timeouts.BodyIdle = 300 * time.Millisecond
					}
					cfg.Upstreams["api"].Breaker.Enabled = true
				})
				for i := range c.times {
					one := make(chan struct{})
					seen <- one
					cl := r.dial()
					cl.send("GET / HTTP/1.1\nHost: x\n\n")
					if strings.HasPrefix(cl.head(), "HTTP/1.1 503") {
						break // the breaker has opened
					}
					c.client(cl, one)
					eventually(t, func() bool { return strings.Count(r.log.String(), fmt.Sprintf(`"error":%q`, c.class)) == i+1 }, r.log.String())
				}
				require.Equal(t, strings.Count(r.log.String(), `"status":200`), strings.Count(r.log.String(), `"aborted":true`))
				require.Equal(t, c.breaker, r.p.Pools().Endpoints[0].Breaker)
				require.Equal(t, framing == "spliced", r.p.Pools().Spliced > 0)
			})
		}
	}
}

// TestSplicedToSlowClient lets a client take its time as long as it takes
// something now and then.
func TestSplicedToSlowClient(t *testing.T) {
	needPipes(t)
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n", large)
		w.pour(large)
	}), func(cfg *config.Config, _ *proxy.Parts) { cfg.Limits.WriteTimeout = time.Second })
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, err := http.ReadResponse(cl.br, nil)
	require.NoError(t, err)
	tick := time.NewTicker(60 * time.Millisecond)
	defer tick.Stop()
	for range large / (2 << 20) { // longer than the timeout in all
		<-tick.C
		_, err := io.CopyN(io.Discard, resp.Body, 2<<20)
		require.NoError(t, err)
	}
	eventually(t, func() bool { return r.p.Pools().Spliced > large-(64<<10) }, "spliced")
}

// skip reads n bytes.
func (w *wire) skip(n int64) {
	_, err := io.CopyN(io.Discard, w.br, n)
	w.must(err, "skip")
}

// TestCopiedWhereItMustBe has something stand between the sockets that wants
// to see what passes.
func TestCopiedWhereItMustBe(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 1<<16)
	var through atomic.Int64
	r := start(t, answering(t, func(w *wire, _ *http.Request, _ string) {
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(body), body)
	}), func(_ *config.Config, parts *proxy.Parts) {
		parts.Edge = func(layers []edge.Layer) []edge.Layer {
			return append(layers, edge.Layer{Name: "look", Wrap: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&looking{w, &through}, r) })
			}})
		}
	})
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	_, got := cl.response("GET")
	require.Zero(t, strings.Compare(body, got))
	require.Equal(t, int64(len(body)), through.Load())
	require.Zero(t, r.p.Pools().Spliced)
}

type looking struct {
	http.ResponseWriter
	through *atomic.Int64
}

func (l *looking) Write(p []byte) (int, error) {
	l.through.Add(int64(len(p)))
	return l.ResponseWriter.Write(p)
}

func (l *looking) Unwrap() http.ResponseWriter { return l.ResponseWriter }
