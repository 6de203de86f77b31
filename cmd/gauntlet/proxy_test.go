package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long any single wait of a test may take.
const patience = 30 * time.Second

// child is a proxy in a process of its own, and those that take its place.
type child struct {
	t                          *testing.T
	cmd                        *exec.Cmd
	config, listen, admin, log string
	client                     *http.Client
}

// launch runs gauntlet proxy in front of endpoint and waits until it serves.
func launch(t *testing.T, endpoint string, args ...string) *child {
	c := &child{
		t: t, config: filepath.Join(t.TempDir(), "proxy.yaml"), log: filepath.Join(t.TempDir(), "log"),
		listen: freeAddress(t), admin: freeAddress(t),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience},
	}
	c.write(endpoint)
	log, err := os.Create(c.log)
	require.NoError(t, err)
	defer log.Close()
	c.cmd = exec.CommandContext(t.Context(), "gauntlet", append([]string{"proxy", "--config", c.config}, args...)...)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.Cancel = func() error { return nil } // it is stopped below, by its id
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		for _, pid := range c.pids() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	c.until("ready", func() bool { return c.ask(http.MethodGet, "/healthz").status == 200 })
	return c
}

func freeAddress(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// write puts a configuration in the place of the last, at once.
func (c *child) write(endpoint string) {
	text := fmt.Sprintf("listen: %s\nadmin: %s\ndrain: {announce: 100ms, timeout: 20s}\ntelemetry: {access_log: 'off'}\nupstreams: {api: {endpoints: ['%s']}}\nroutes: [{path: /, upstream: api}]\n",
		c.listen, c.admin, endpoint)
	require.NoError(c.t, os.WriteFile(c.config+".next", []byte(text), 0o600))
	require.NoError(c.t, os.Rename(c.config+".next", c.config))
}

func (c *child) until(what string, done func() bool) {
	c.t.Helper()
	if !comes(done) {
		log, _ := os.ReadFile(c.log)
		c.t.Fatalf("not %s; its log:\n%s", what, log)
	}
}

func comes(done func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if done() {
			return true
		}
	}
	return false
}

type answer struct {
	status int
	body   string
}

// ask asks the admin listener.
func (c *child) ask(method, path string) answer {
	req, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.admin+path, nil)
	require.NoError(c.t, err)
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}
	}
	return answer{resp.StatusCode, string(body)}
}

// get asks through the proxy, on a connection of its own.
func (c *child) get() string {
	resp, err := c.client.Get("http://" + c.listen + "/")
	require.NoError(c.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return string(body)
}

// pids are the successors that the log tells of.
func (c *child) pids() []int {
	text, err := os.ReadFile(c.log)
	require.NoError(c.t, err)
	var pids []int
	for line := range strings.Lines(string(text)) {
		var entry struct {
			PID int `json:"successor"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.PID > 0 {
			pids = append(pids, entry.PID)
		}
	}
	return pids
}

func serving(t *testing.T, text string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, text)
	}), ReadHeaderTimeout: patience}
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Serve(ln) })
	t.Cleanup(func() {
		_ = s.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

// TestProxyReadsItsFileAgain at SIGHUP, when asked on the admin listener and,
// with --watch, by itself.
func TestProxyReadsItsFileAgain(t *testing.T) {
	one, two, three := serving(t, "one"), serving(t, "two"), serving(t, "three")
	c := launch(t, one)
	require.Equal(t, "one", c.get())
	c.write(two)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGHUP))
	c.until("reloaded", func() bool { return c.get() == "two" })
	c.write(three)
	a := c.ask(http.MethodPost, "/reload")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "three", c.get())
	require.NoError(t, os.WriteFile(c.config, []byte("routes: nonsense\n"), 0o600))
	a = c.ask(http.MethodPost, "/reload")
	require.Equal(t, 422, a.status)
	require.Contains(t, a.body, `"path": "routes"`)
	require.Equal(t, "three", c.get())

	watching := launch(t, one, "--watch")
	watching.write(two)
	watching.until("reloaded by itself", func() bool { return watching.get() == "two" })
}

// TestProxyIsUpgraded replaces the process twice under load, by signal and over
// the admin listener: no connection is refused, no request fails, and the old
// processes end by themselves.
func TestProxyIsUpgraded(t *testing.T) {
	c := launch(t, serving(t, "ok"))
	var stop atomic.Bool
	var served atomic.Int64
	var clients sync.WaitGroup
	end := func() {
		stop.Store(true)
		clients.Wait()
	}
	defer end()
	for n := range 4 {
		clients.Go(func() {
			for !stop.Load() {
				if err := converse(c.listen, n%2 == 0, &stop, &served); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	load := func() {
		seen := served.Load()
		c.until("under load", func() bool { return served.Load() > seen+100 || t.Failed() })
	}
	load()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGUSR2))
	c.until("upgraded", func() bool { return len(c.pids()) == 1 })
	load()
	require.NoError(t, c.cmd.Wait(), "the first process ends with success")
	second := c.pids()[0]
	require.NotEqual(t, c.cmd.Process.Pid, second)
	a := c.ask(http.MethodPost, "/upgrade")
	require.Equal(t, 200, a.status, a.body)
	c.until("upgraded again", func() bool { return len(c.pids()) == 2 })
	load()
	c.until("rid of the second process", func() bool { return !alive(second) })
	load()
	end()

	require.NoError(t, os.WriteFile(c.config, []byte("routes: nonsense\n"), 0o600))
	a = c.ask(http.MethodPost, "/upgrade")
	require.Equal(t, 500, a.status, "a new process that cannot serve")
	require.Contains(t, a.body, "did not get ready")
	require.Equal(t, "ok", c.get(), "the one that could goes on")
	third := c.pids()[1]
	require.NoError(t, syscall.Kill(third, syscall.SIGTERM))
	c.until("stopped", func() bool { return !alive(third) })
	t.Logf("%d requests", served.Load())
}

// alive reports whether a process runs; one that has ended and waits for its
// parent to notice does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// converse opens a connection and sends requests on it until told to close it,
// or one only.
func converse(addr string, keep bool, stop *atomic.Bool, served *atomic.Int64) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return fmt.Errorf("refused: %w", err)
	}
	defer c.Close()
	br := bufio.NewReader(c)
	for again := true; again && !stop.Load(); {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"); err != nil {
			return err
		}
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || string(body) != "ok" {
			return fmt.Errorf("%d %q %w", resp.StatusCode, body, err)
		}
		served.Add(1)
		again = keep && !resp.Close
	}
	return nil
}
