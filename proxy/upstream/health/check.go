package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ErrStatus is wrapped by the failure of an HTTP check that was answered with
// a status nobody expected.
var ErrStatus = errors.New("unexpected status")

// HTTP is a GET of path, well when the status lies in one of expect (first and
// last, both included). An empty host is the endpoint's address. Redirects are
// answers and not followed; each probe has a new connection.
func HTTP(path, host string, expect [][2]int, n Network) Check {
	return func(ctx context.Context, endpoint string) error {
		scheme := "http"
		if n.TLS != nil {
			scheme = "https"
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+endpoint+path, nil)
		if err != nil {
			return fmt.Errorf("health check: %w", err)
		}
		req.Host = host
		req.Header.Set("User-Agent", "gauntlet-health")
		t := &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: n.Dial, TLSClientConfig: n.TLS, Protocols: n.Protocols}
		resp, err := t.RoundTrip(req)
		if err != nil {
			return fmt.Errorf("health check: %w", err)
		}
		_ = resp.Body.Close() // the head has said it all
		if !slices.ContainsFunc(expect, func(r [2]int) bool { return resp.StatusCode >= r[0] && resp.StatusCode <= r[1] }) {
			return fmt.Errorf("health check: %w %d", ErrStatus, resp.StatusCode)
		}
		return nil
	}
}

// TCP is a connection that is opened and closed.
func TCP(n Network) Check {
	dial := n.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, endpoint string) error {
		c, err := dial(ctx, "tcp", endpoint)
		if err != nil {
			return fmt.Errorf("health check: %w", err)
		}
		_ = c.Close() // nothing was written that could be lost
		return nil
	}
}

// grace is how long a killed command's pipes may stay open.
const grace = time.Second

// Exec is a command, well when it exits with 0. It finds the endpoint in the
// environment as GAUNTLET_ENDPOINT. It has a process group of its own, which is
// killed as a whole when time is up: what it started must not outlive it.
func Exec(command []string) Check {
	return func(ctx context.Context, endpoint string) error {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "GAUNTLET_ENDPOINT="+endpoint)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		cmd.WaitDelay = grace
		if err := cmd.Run(); err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return fmt.Errorf("health check %s: %w", strings.Join(command, " "), err)
		}
		return nil
	}
}
