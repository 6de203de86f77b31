package watch_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/chaos/process"
	"gauntlet/scenarios/watch"
)

// TestMain is also the supervisor of what the tests start.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "supervise" {
		if process.Supervise(context.Background(), os.NewFile(process.Control, "control"), os.Args[3:]) != nil {
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestDrillsAreWhole(t *testing.T) {
	drills, err := watch.Drills()
	require.NoError(t, err)
	require.Empty(t, drills[0].Must, "the first is calm")
	seen := map[string]bool{}
	for i, d := range drills {
		require.False(t, seen[d.Name], d.Name)
		seen[d.Name] = true
		require.Equal(t, "drill/"+d.Name, d.Case.ID)
		require.True(t, d.Case.Serial, d.Name)
		require.NotEmpty(t, d.Case.Load, d.Name)
		if i > 0 {
			require.NotEmpty(t, d.Must, d.Name)
		}
	}
}

func TestResultSaysWhatDoesNotHold(t *testing.T) {
	good := watch.Outcome{Drill: "calm"}
	wrong := watch.Outcome{Drill: "calm", Wrong: []string{"A"}}
	busy := watch.Outcome{Drill: "calm", Wrong: []string{"A"}, Busy: true}
	for _, c := range []struct {
		name        string
		r           watch.Result
		ok, unclear bool
	}{
		{"all holds", watch.Result{Outcomes: []watch.Outcome{good}}, true, false},
		{"an alert fired that may not", watch.Result{Outcomes: []watch.Outcome{good, wrong}}, false, false},
		{"an alert did not fire", watch.Result{Outcomes: []watch.Outcome{{Missing: []string{"A"}}}}, false, false},
		{"on a busy machine", watch.Result{Outcomes: []watch.Outcome{good, busy}}, false, true},
		{"on a busy machine and elsewhere", watch.Result{Outcomes: []watch.Outcome{busy, wrong}}, false, false},
		{"an alert without a drill", watch.Result{Outcomes: []watch.Outcome{good}, Unproven: []string{"A"}}, false, false},
		{"a query without data", watch.Result{Outcomes: []watch.Outcome{busy}, Silent: []string{"x"}}, false, false},
	} {
		require.Equal(t, c.ok, c.r.OK(), c.name)
		require.Equal(t, c.unclear, c.r.Unclear(), c.name)
	}
}

func TestRulesThatPrometheusRefusesAreTold(t *testing.T) {
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("prometheus is not installed (Debian: apt-get install prometheus)")
	}
	_, err := watch.Start(context.Background(), t.TempDir(), []byte("groups: [{name: x, rules: [{record: a:b, expr: 'sum('}]}]"), nil, []string{os.Args[0], "supervise", "--"})
	require.ErrorIs(t, err, watch.ErrPrometheus)
	require.ErrorContains(t, err, "rules.yaml", "it gives Prometheus's own words")
}
