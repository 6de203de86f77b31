package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what the scripts may say beyond what testscript gives them.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits": exits, "interrupted": interrupted, "parses": parses, "capture": capture, "server": server, "through": through,
	}
}

// interrupted starts a command, waits until the file is there, interrupts the
// command and checks its exit code and that no process of its stays:
// interrupted 3 FILE gauntlet run ….
func interrupted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: interrupted code file command [args…]")
	}
	var program string
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, args[2]); program == "" {
			if _, err := os.Stat(path); err == nil {
				program = path
			}
		}
	}
	said, err := os.Create(ts.MkAbs("interrupted.log"))
	ts.Check(err)
	defer func() { ts.Check(said.Close()) }()
	cmd := exec.Command(program, args[3:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), said, said
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "GORACE="+ts.Getenv("GORACE"))
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for {
		if _, err := os.Stat(ts.MkAbs(args[1])); err == nil {
			break
		}
		select {
		case <-tick.C:
		case <-ended:
			ts.Fatalf("it ended before %s was there:\n%s", args[1], ts.ReadFile("interrupted.log"))
		case <-late:
			ts.Check(cmd.Process.Kill())
			<-ended
			ts.Fatalf("no %s after 30s", args[1])
		}
	}
	ts.Check(cmd.Process.Signal(syscall.SIGINT))
	<-ended
	if code := fmt.Sprint(cmd.ProcessState.ExitCode()); code != args[0] {
		ts.Fatalf("exit code %s, not %s:\n%s", code, args[0], ts.ReadFile("interrupted.log"))
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	ts.Check(err)
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), ts.Getenv("WORK")) {
			ts.Fatalf("still there: %s: %q", path, line)
		}
	}
}

// parses checks that the last standard output is a JSON list with something in it.
func parses(ts *testscript.TestScript, _ bool, _ []string) {
	var rows []map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &rows))
	if len(rows) == 0 {
		ts.Fatalf("the list is empty")
	}
}

// capture keeps the first match of a pattern in a file: capture ID stderr [0-9a-f]+.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: capture variable file pattern")
	}
	found := regexp.MustCompile(args[2]).FindString(ts.ReadFile(args[1]))
	if found == "" {
		ts.Fatalf("nothing in %s matches %s", args[1], args[2])
	}
	ts.Setenv(args[0], found)
}

// unzip unpacks a file into a directory: unzip FILE DIR.
func unzip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unzip file dir")
	}
	z, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer func() { ts.Check(z.Close()) }()
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), z))
}

// server sets URL to that of a server that answers 200, and 503 below /bad.
func server(ts *testscript.TestScript, _ bool, _ []string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/bad") {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	ts.Defer(s.Close)
	ts.Setenv("URL", s.URL)
}
