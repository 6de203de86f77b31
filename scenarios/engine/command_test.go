package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/engine"
)

// during gives a scenario in which a command runs while clients ask.
func during(run string) string {
	return ask("rollout", `
backends: [{}]
load: [{name: users, rate: 50/s, for: 300ms}]
actions: [{at: 50ms, do: exec, run: [sh, -c, "`+run+`"], env: {TOKEN: "${env:GAUNTLET_TEST_TOKEN}", AT: "${target} ${backend.1} ${endpoint.1}"}, within: 20s}]
expect: [ledger.damaged == 0]
`)
}

// A command runs in the middle of the case; what it prints is kept without
// secrets, and how it ends is a finding.
func TestACommandOfTheUsersOwn(t *testing.T) {
	t.Setenv("GAUNTLET_TEST_TOKEN", "swordfish-4711")
	for name, c := range map[string]struct {
		run     string
		verdict reports.Verdict
		detail  string
	}{
		"ends well":   {"echo at $AT with $TOKEN", reports.Pass, ""},
		"ends badly":  {"echo at $AT with $TOKEN; exit 3", reports.Fail, "ended with exit code 3; see exec-1.log"},
		"is killed":   {"echo at $AT with $TOKEN; kill -KILL $$", reports.Fail, "was ended by signal 9; see exec-1.log"},
		"leaves some": {"echo at $AT with $TOKEN; sleep 1000 & true", reports.Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, hop{t: t}, during(c.run))
			r := carry(t, cfg)
			f := finding(t, only(t, r), "the commands ended well")
			require.Equal(t, c.verdict, f.Verdict, "%+v", r.Scenarios)
			require.Contains(t, f.Detail, c.detail)
			said, err := os.ReadFile(filepath.Join(cfg.Dir.Case(ref(cfg, 1)), "exec-1.log"))
			require.NoError(t, err)
			require.Regexp(t, `^at 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ with \*{14}\n`, string(said))
			one := facts(t, cfg).Commands[0]
			require.Greater(t, one.From, facts(t, cfg).Begin)
			require.NotContains(t, strings.Join(one.Run, " "), "swordfish")
		})
	}
}

func TestACommandThatTakesTooLong(t *testing.T) {
	t.Setenv("GAUNTLET_TEST_TOKEN", "")
	cfg := config(t, hop{t: t}, strings.Replace(during("sleep 1000"), "within: 20s", "within: 300ms", 1))
	f := finding(t, only(t, carry(t, cfg)), "the commands ended well")
	require.Equal(t, reports.Fail, f.Verdict)
	require.Contains(t, f.Detail, "had not ended in its time and was killed")
}

// What cannot be run at all is nobody's fault but the scenario's.
func TestACommandThatIsNotThere(t *testing.T) {
	cfg := config(t, hop{t: t}, strings.ReplaceAll(strings.Replace(during("true"), "run: [sh,", "run: [./no-such-program,", 1), "${env:GAUNTLET_TEST_TOKEN}", "x"))
	r := carry(t, cfg)
	require.Equal(t, reports.Invalid, r.Verdict)
	require.Contains(t, finding(t, only(t, r), "the evidence is complete").Detail, "no-such-program")
}

// A run that is broken off kills the command and accuses nobody.
func TestACommandIsKilledWithItsRun(t *testing.T) {
	t.Setenv("GAUNTLET_TEST_TOKEN", "")
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	cfg := config(t, hop{t: t}, strings.Replace(during("echo begun; sleep 1000"), "for: 300ms", "for: 60s", 1))
	log := filepath.Join(cfg.Dir.Case(ref(cfg, 1)), "exec-1.log")
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		defer cancel(why)
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if said, err := os.ReadFile(log); err == nil && len(said) > 0 {
				return
			}
		}
	}()
	require.ErrorIs(t, engine.Run(ctx, cfg), why)
	<-seen
	r := judge(t, cfg.Dir)
	require.Equal(t, reports.Invalid, r.Verdict, "%+v", r.Scenarios)
	require.Contains(t, finding(t, only(t, r), "the evidence is complete").Detail, "broken off before the command had ended")
	require.Equal(t, reports.Invalid, finding(t, only(t, r), "the commands ended well").Verdict)
}
