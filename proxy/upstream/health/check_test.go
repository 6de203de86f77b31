package health_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/upstream/health"
)

const patience = 10 * time.Second

func run(t *testing.T, check health.Check, endpoint string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return check(ctx, endpoint)
}

func TestHTTP(t *testing.T) {
	conns := map[string]bool{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conns[r.RemoteAddr] = true
		if r.Host != "api.example" {
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		status, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.Header().Set("Location", "/200")
		w.WriteHeader(status)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	expect := [][2]int{{200, 299}, {404, 404}}
	for path, well := range map[string]bool{"/200": true, "/204": true, "/404": true, "/302": false, "/403": false, "/500": false, "/503": false} {
		for _, c := range []struct {
			server *httptest.Server
			n      health.Network
		}{{plain, health.Network{}}, {secure, health.Network{TLS: &tls.Config{RootCAs: roots, ServerName: "example.com"}}}} {
			err := run(t, health.HTTP(path, "api.example", expect, c.n), c.server.Listener.Addr().String(), patience)
			if well {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, health.ErrStatus, path)
			}
		}
	}
	require.Len(t, conns, 14, "each probe has a connection of its own")
	err := run(t, health.HTTP("/200", "", expect, health.Network{}), plain.Listener.Addr().String(), patience)
	require.ErrorContains(t, err, "421", "without a host it is the address")
}

func TestHTTPTimeout(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	require.ErrorIs(t, run(t, health.HTTP("/", "", nil, health.Network{}), s.Listener.Addr().String(), 50*time.Millisecond), context.DeadlineExceeded)
}

func TestTCP(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	require.NoError(t, run(t, health.TCP(health.Network{}), s.Listener.Addr().String(), patience))
	s.Close()
	require.ErrorIs(t, run(t, health.TCP(health.Network{}), s.Listener.Addr().String(), patience), syscall.ECONNREFUSED)
}

func TestExec(t *testing.T) {
	require.NoError(t, run(t, health.Exec([]string{"sh", "-c", `test "$GAUNTLET_ENDPOINT" = a:1`}), "a:1", patience))
	require.ErrorContains(t, run(t, health.Exec([]string{"sh", "-c", "exit 3"}), "a:1", patience), "health check sh -c exit 3: exit status 3")
	require.ErrorIs(t, run(t, health.Exec([]string{filepath.Join(t.TempDir(), "none")}), "a:1", patience), os.ErrNotExist)
}

// A command that hangs is killed with what it started.
func TestExecIsKilledAsAGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- health.Exec([]string{"sh", "-c", `sleep 600 & echo $! > "$1.tmp"; mv "$1.tmp" "$1"; wait`, "sh", file})(ctx, "a:1")
	}()
	var pid int
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	}, patience, 5*time.Millisecond)
	require.NoError(t, syscall.Kill(pid, 0))
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Eventually(t, func() bool { return gone(pid) }, patience, 5*time.Millisecond, "the grandchild is gone")
}

// gone tells whether a process has ended, also when nobody has reaped it.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, rest, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(rest, "Z")
}
