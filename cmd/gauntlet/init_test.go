package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"gauntlet/reports"
)

// TestTargetsOfTheUsersOwn runs scripts that build and start proxies which are
// no part of Gauntlet.
func TestTargetsOfTheUsersOwn(t *testing.T) {
	repo, err := filepath.Abs("../..")
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE").Output()
	require.NoError(t, err)
	caches := strings.Fields(string(out))
	require.Len(t, caches, 2)
	var scripts atomic.Uint32
	testscript.Run(t, testscript.Params{
		Dir: "testdata/own",
		Setup: func(env *testscript.Env) error {
			env.Setenv("REPO", repo)
			env.Setenv("GOCACHE", caches[0])
			env.Setenv("GOMODCACHE", caches[1])
			env.Setenv("GOFLAGS", "")
			env.Setenv("GOWORK", "off")
			// Where nobody else listens, nor another of these scripts.
			env.Setenv("LOOPBACK", fmt.Sprintf("127.%d.%d.%d", 77+scripts.Add(1), os.Getpid()>>8&0xff, os.Getpid()&0xff))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"verdicts": verdicts,
			"nowhere":  nowhere,
			"names":    eachNamed, "interrupted": interrupted,
			"capture": capture,
			"unzip":   unzip,
		},
	})
}

// eachNamed checks that a run's requests that did not succeed are listed one by one,
// each with what its client saw, as far as a report shows any.
func eachNamed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: names dir")
	}
	var report reports.Report
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(args[0], "report.json"))), &report))
	failed, seen := report.Ledger.Rejected+report.Ledger.Indeterminate+report.Ledger.Lost, 0
	for _, s := range report.Scenarios {
		for _, c := range s.Cases {
			for _, x := range c.Exchanges {
				if seen++; x.Why == "" || len(x.Moments) < 2 {
					ts.Fatalf("nothing is said of %+v", x)
				}
			}
		}
	}
	if failed == 0 || seen < min(failed, 20) {
		ts.Fatalf("%d of %d requests that did not succeed are named", seen, failed)
	}
}

// verdicts compares a run's scenarios with all that are named: verdicts out
// keepalive/fin-before-send=pass.
func verdicts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: verdicts dir id=verdict…")
	}
	var report reports.Report
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(args[0], "report.json"))), &report))
	var found []string
	for _, s := range report.Scenarios {
		found = append(found, s.ID+"="+string(s.Verdict))
	}
	slices.Sort(found)
	if want := slices.Sorted(slices.Values(args[1:])); !slices.Equal(found, want) {
		ts.Fatalf("found %v\nwant  %v", found, want)
	}
}

// nowhere looks for a text in every file below a directory: nowhere dir text.
func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: nowhere dir text")
	}
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), args[1]) {
			ts.Fatalf("%s holds %q", path, args[1])
		}
		return err
	}))
	if files == 0 {
		ts.Fatalf("%s holds no file", args[0])
	}
}
