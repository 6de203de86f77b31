package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// errDiffers says that other bytes came than expected.
var errDiffers = errors.New("differs")

// patience is how long any single wait of a test may take.
const patience = 10 * time.Second

// wire is one end of a raw TCP connection under test.
type wire struct {
	t *testing.T
	*net.TCPConn
	out io.Writer // the connection, or TLS over it
	br  *bufio.Reader
	n   int // of the connection, from 1
}

func newWire(t *testing.T, c net.Conn, n int) *wire {
	tcp := c.(*net.TCPConn)
	_ = tcp.SetDeadline(time.Now().Add(patience))
	return &wire{t: t, TCPConn: tcp, out: tcp, br: bufio.NewReaderSize(tcp, 64<<10), n: n}
}

// over has the wire speak through c, which is TLS over its connection.
func (w *wire) over(c io.ReadWriter) { w.out, w.br = c, bufio.NewReaderSize(c, 64<<10) }

// must ends the goroutine of a test when err is not nil.
func (w *wire) must(err error, what string) {
	if err != nil {
		if w.t.Context().Err() == nil { // else the test is over and closes everything
			w.t.Errorf("%s: %v", what, err)
		}
		runtime.Goexit()
	}
}

// send writes text with its line ends made CRLF, in one write.
func (w *wire) send(text string) {
	_, err := io.WriteString(w.out, strings.ReplaceAll(text, "\n", "\r\n"))
	w.must(err, "send")
}

func (w *wire) sendf(format string, args ...any) { w.send(fmt.Sprintf(format, args...)) }

// await waits for a barrier, or for the test to end.
func (w *wire) await(barrier <-chan struct{}) {
	select {
	case <-barrier:
	case <-w.t.Context().Done():
		runtime.Goexit()
	}
}

// take receives what a backend saw.
func take[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("not reached")
	}
}

// head reads up to and with the empty line.
func (w *wire) head() string {
	var b strings.Builder
	for {
		line, err := w.br.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			w.must(err, fmt.Sprintf("head after %q", b.String()))
		}
		if line == "\r\n" {
			return b.String()
		}
	}
}

// expect reads exactly text.
func (w *wire) expect(text string) {
	buf := make([]byte, len(text))
	n, err := io.ReadFull(w.br, buf)
	if err != nil || string(buf) != text {
		w.must(fmt.Errorf("got %q (%w), want %q", buf[:n], errors.Join(errDiffers, err), text), "expect")
	}
}

// rest reads to the end of the connection.
func (w *wire) rest() (string, error) {
	all, err := io.ReadAll(w.br)
	return string(all), err
}

// eof waits for the peer's FIN with nothing before it.
func (w *wire) eof() {
	got, err := w.rest()
	w.must(err, "eof")
	if got != "" {
		w.must(fmt.Errorf("got %q", got), "eof")
	}
}

// reset closes with an RST.
func (w *wire) reset() {
	_ = w.SetLinger(0)
	_ = w.Close()
}

// request reads a whole request with net/http's parser.
func (w *wire) request() (*http.Request, string) {
	r, err := http.ReadRequest(w.br)
	w.must(err, "request")
	body, err := io.ReadAll(r.Body)
	w.must(err, "request body")
	return r, string(body)
}

// response reads a whole response to a request of the given method.
func (w *wire) response(method string) (*http.Response, string) {
	resp, err := http.ReadResponse(w.br, &http.Request{Method: method})
	w.must(err, "response")
	body, err := io.ReadAll(resp.Body)
	w.must(err, "response body")
	return resp, string(body)
}

// backend serves every connection with f until the test ends.
func backend(t *testing.T, f func(w *wire)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for n := 1; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				f(newWire(t, c, n))
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return ln.Addr().String()
}

// answering serves every request on every connection with answer.
func answering(t *testing.T, answer func(w *wire, r *http.Request, body string)) string {
	return backend(t, func(w *wire) {
		for {
			r, err := http.ReadRequest(w.br)
			if err != nil {
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			answer(w, r, string(body))
		}
	})
}

// ok answers with text.
func ok(t *testing.T, text string) string {
	return answering(t, func(w *wire, _ *http.Request, _ string) {
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(text), text)
	})
}

// running is a proxy under test.
type running struct {
	t        *testing.T
	p        *proxy.Proxy
	endpoint string
	addr     string
	admin    string
	log      *lines
	stop     context.CancelFunc
	done     chan error
}

// lines collects what is written to it.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// option changes what start starts.
type option func(*config.Config, *proxy.Parts)

// settings returns the configuration most tests use: one upstream, no retries
// to confuse what is asked, short drain.
func settings(endpoints ...string) *config.Config {
	cfg := config.Default()
	cfg.Listen, cfg.Admin = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Drain = config.Drain{Announce: 0, Timeout: 5 * time.Second}
	up := config.DefaultUpstream(endpoints...)
	up.Retries = 0
	up.Breaker.Enabled = false
	cfg.Upstreams["api"] = up
	cfg.Routes = []config.Route{{Path: "/", Upstream: "api"}}
	return cfg
}

// start runs a proxy in front of endpoint until the test ends.
func start(t *testing.T, endpoint string, options ...option) *running {
	cfg, parts := settings(endpoint), proxy.Parts{}
	log := &lines{}
	parts.Stdout = log
	for _, o := range options {
		o(cfg, &parts)
	}
	p, err := proxy.New(cfg, parts)
	require.NoError(t, err)
	require.NoError(t, p.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, p: p, endpoint: endpoint, addr: p.Addr().String(), admin: p.AdminAddr().String(), log: log, stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- p.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		p.Cut()
		r.wait()
	})
	return r
}

// wait waits for Serve to return. It may be called again.
func (r *running) wait() {
	select {
	case err := <-r.done:
		require.NoError(r.t, err)
		r.done <- nil
	case <-time.After(patience):
		r.t.Fatal("the proxy does not end")
	}
}

// dial opens a client connection.
func (r *running) dial() *wire {
	c, err := net.Dial("tcp", r.addr)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = c.Close() })
	return newWire(r.t, c, 0)
}

// get fetches from the admin listener.
func (r *running) get(path string, header ...string) (int, string) {
	return r.operate(http.MethodGet, path, header...)
}

// post posts nothing to the admin listener.
func (r *running) post(path string, header ...string) (int, string) {
	return r.operate(http.MethodPost, path, header...)
}

func (r *running) operate(method, path string, header ...string) (int, string) {
	req, err := http.NewRequest(method, "http://"+r.admin+path, nil)
	require.NoError(r.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(body)
}

// eventually waits for an event that is seen by asking.
func eventually(t *testing.T, done func() bool, what string) {
	require.Eventually(t, done, patience, 5*time.Millisecond, what)
}
