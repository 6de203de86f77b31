package evidence_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/scenarios/evidence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatIsSavedIsRead(t *testing.T) {
	d := evidence.Dir(t.TempDir())
	run := &evidence.Run{Schema: evidence.RunSchema, Seed: 1<<63 + 1, Cases: []evidence.CaseRef{{Scenario: "a/b", Slug: "x=1", Repetition: 2}}}
	require.NoError(t, d.SaveRun(run))
	back, err := d.LoadRun()
	require.NoError(t, err)
	require.Equal(t, run, back)

	ref := run.Cases[0]
	_, err = d.LoadCase(ref)
	require.ErrorIs(t, err, evidence.ErrIncomplete)
	require.NoError(t, os.MkdirAll(d.Case(ref), 0o755))
	c := &evidence.Case{Schema: evidence.CaseSchema, Scenario: "a/b", Slug: "x=1", Repetition: 2, Run: 1<<64 - 1, Names: map[string]uint64{"first": 1}}
	require.NoError(t, d.SaveCase(c))
	got, err := d.LoadCase(ref)
	require.NoError(t, err)
	require.Equal(t, c, got)
	require.NoError(t, d.SaveScenario("a/b", []byte("id: a/b\n")))
	require.FileExists(t, d.Scenario("a/b"))
}

func TestAnotherSchemaIsRefused(t *testing.T) {
	d := evidence.Dir(t.TempDir())
	require.NoError(t, d.SaveRun(&evidence.Run{Schema: "gauntlet.run/v0"}))
	_, err := d.LoadRun()
	require.ErrorContains(t, err, `schema is "gauntlet.run/v0"; this version reads "gauntlet.run/v1"`)
}

func TestSecretsAreRedacted(t *testing.T) {
	require.Equal(t, "[redacted]", evidence.Redact("Set-Cookie", "a=b"))
	require.Equal(t, "b", evidence.Redact("Accept", "b"))
}

func TestRepeatRunsTheSameAgain(t *testing.T) {
	run := &evidence.Run{Target: evidence.RunTarget{Name: "edge"}}
	require.Equal(t, "gauntlet run pool --target edge --seed 3", run.Repeat("pool", 3))
	run.TargetArgument, run.Backends = "edge.yaml", evidence.Embedded
	require.Equal(t, "gauntlet run pool --target edge.yaml --seed 3", run.Repeat("pool", 3))
	run.Backends = "docker"
	require.Equal(t, "gauntlet run pool --target edge.yaml --backends docker --seed 3", run.Repeat("pool", 3))
}
