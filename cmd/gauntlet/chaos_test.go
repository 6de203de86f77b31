package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// through asks a server once with a relay of ours in between, in which the fault
// acts, interrupts the relay and leaves its receipts in receipts.json. Standard
// output is the status and the body that came.
func through(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: through fault")
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "short")
	}))
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	program := ""
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, "gauntlet")); err == nil && program == "" {
			program = path
		}
	}
	cmd := exec.CommandContext(ctx, program, "chaos", "--listen", "127.0.0.1:0", "--to", s.Listener.Addr().String(), "--fault", args[0], "--receipts", ts.MkAbs("receipts.json"))
	cmd.Env = []string{"GORACE=" + ts.Getenv("GORACE"), "TMPDIR=" + ts.Getenv("WORK")}
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() {
		ts.Fatalf("it said nothing")
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "chaos: "), " to ")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + address + "/")
	ts.Check(err)
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	ts.Check(cmd.Process.Signal(syscall.SIGINT))
	for lines.Scan() {
	}
	ts.Check(cmd.Wait())
	_, _ = fmt.Fprintf(ts.Stdout(), "%d %s\n", resp.StatusCode, body)
}
