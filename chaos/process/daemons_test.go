package process_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos/process"
)

// The programs that fork workers and that people run: started in the foreground
// and as daemons, stopped gracefully and killed, nothing of them stays.
func TestProgramsWithWorkers(t *testing.T) {
	dir := t.TempDir()
	addr := freeAddress(t)
	nginx := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(nginx, fmt.Appendf(nil, `pid %[1]s/nginx.pid; error_log stderr; worker_processes 2; events {}
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
server { listen %[2]s; location / { return 204; } } }`, dir, addr), 0o644))
	haproxy := filepath.Join(dir, "haproxy.cfg")
	require.NoError(t, os.WriteFile(haproxy, fmt.Appendf(nil, `global
  maxconn 50
  pidfile %s/haproxy.pid
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind %s
  http-request return status 204
`, dir, addr), 0o644))
	for name, c := range map[string]struct {
		args     []string
		graceful syscall.Signal // 0: killed only, since a master that still starts may lose a signal
	}{
		"nginx":                  {[]string{"nginx", "-c", nginx, "-g", "daemon off;"}, syscall.SIGQUIT},
		"nginx as a daemon":      {[]string{"nginx", "-c", nginx}, 0},
		"haproxy":                {[]string{"haproxy", "-f", haproxy}, syscall.SIGUSR1},
		"haproxy with a master":  {[]string{"haproxy", "-W", "-f", haproxy}, 0},
		"haproxy as a daemon":    {[]string{"haproxy", "-D", "-f", haproxy}, syscall.SIGUSR1},
		"haproxy daemon, master": {[]string{"haproxy", "-D", "-W", "-f", haproxy}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(c.args[0]); err != nil {
				t.Skip(err)
			}
			for _, kill := range []bool{false, true} {
				p := start(t, process.Spec{Args: c.args, Log: filepath.Join(t.TempDir(), "log")})
				require.Eventually(t, func() bool { return answers(addr) }, patience, 10*time.Millisecond)
				s, err := p.Sample()
				require.NoError(t, err)
				require.GreaterOrEqual(t, s.Processes, 1)
				if strings.Contains(name, "daemon") {
					<-p.Exited()
				}
				if kill || c.graceful == 0 {
					require.NoError(t, p.Kill(t.Context()))
				} else {
					require.NoError(t, p.Stop(t.Context(), c.graceful, patience))
				}
				require.False(t, p.Alive())
				_, err = net.Dial("tcp", addr)
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
			}
		})
	}
}

func answers(addr string) bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusNoContent
}

func freeAddress(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	return ln.Addr().String()
}
