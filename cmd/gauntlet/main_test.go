package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
)

// leakChecked runs the tests and then looks for goroutines they left behind.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"gauntlet": main})
}

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: commands(),
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // a second at the end of each process
			return nil
		},
	})
}

// exits runs a command and checks its exit code: exits 2 gauntlet frobnicate.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args…]")
	}
	code := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code = fmt.Sprint(err)
	}
	if code != args[0] && code != "exit status "+args[0] {
		ts.Fatalf("exit code %s, not %s", code, args[0])
	}
}

func TestExitCodeIsTheVerdict(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{nil, 0, ""},
		{verdict(reports.Pass, true), 0, ""},
		{verdict(reports.Exposed, false), 0, ""},
		{verdict(reports.Exposed, true), 1, ""},
		{verdict(reports.Fail, false), 1, ""},
		{verdict(reports.Invalid, false), 3, ""},
		{fmt.Errorf("run: %w", verdict(reports.Fail, false)), 1, ""},
		{usage(errors.New("edge.yaml:3:1: start: missing")), 2, "edge.yaml:3:1: start: missing"},
		{fmt.Errorf("load: %w", usage(errors.New("no such file"))), 2, "load: no such file"},
		{usage(nil), 0, ""},
		{errors.New("disk full"), 3, "disk full"},
		{context.Canceled, 3, "context canceled"},
	} {
		require.Equal(t, c.code, exitCode(c.err), "%v", c.err)
		require.Equal(t, c.says, message(c.err))
	}
}
