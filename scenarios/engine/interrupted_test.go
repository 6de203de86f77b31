package engine_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/backend"
	"gauntlet/reports"
	"gauntlet/scenarios/engine"
)

// A run that is broken off leaves evidence; what did not run or not to its end
// is invalid, and what the breaking off made of exchanges is nobody's fault.
func TestAnInterruptedRunIsInvalidAndAccusesNobody(t *testing.T) {
	for name, text := range map[string]string{
		"clients": ask("b-held", echo+`
clients: [{do: [{send: {path: /}, as: first}, {receive: {status: 200}}]}]
expect: [ledger.delivered == 1, exchange("first").outcome == "delivered", ledger.damaged == 0]
`),
		"a load": ask("b-held", echo+`
load: [{name: some, rate: 100/s, for: 10s, request: {method: POST, body: 64}}]
expect: [ledger.delivered == ledger.sent, invariants]
slo: [{over: some, availability: 100%, latency: {p99: 60s}}]
`),
	} {
		t.Run(name, func(t *testing.T) {
			why := errors.New("enough")
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			begun := false
			holds := func(forward http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if begun { // the case behind the first holds its requests until it is broken off
						cancel(why)
						_, _ = io.Copy(io.Discard, r.Body) // only then net/http sees the client leave
						<-r.Context().Done()
						return
					}
					forward.ServeHTTP(w, r)
				})
			}
			cfg := config(t, hop{t: t, wrap: holds}, ask("a-plain", echo+`
clients: [{do: [{send: {path: /}}, receive]}]
expect: [ledger.delivered == 1]
`), text, ask("c-never", echo+`
clients: [{do: [{send: {path: /}}, receive]}]
expect: [ledger.delivered == 1]
`))
			cfg.Progress = &told{began: func(scenario string) { begun = scenario == "test/b-held" }}
			for i := range cfg.Cases {
				cfg.Cases[i].Serial = true
			}
			require.ErrorIs(t, engine.Run(ctx, cfg), why)
			run, err := cfg.Dir.LoadRun()
			require.NoError(t, err)
			require.True(t, run.Interrupted)
			require.Len(t, run.Cases, 3)
			r := judge(t, cfg.Dir)
			require.Equal(t, reports.Invalid, r.Verdict)
			require.Contains(t, r.Notes, "The run was interrupted: cases that had not run are invalid.")
			require.Equal(t, []reports.Verdict{reports.Pass, reports.Invalid, reports.Invalid},
				[]reports.Verdict{r.Scenarios[0].Verdict, r.Scenarios[1].Verdict, r.Scenarios[2].Verdict}, "%+v", r.Scenarios[1].Findings)
			require.Contains(t, finding(t, &r.Scenarios[1], "the evidence is complete").Detail, "enough")
			require.Equal(t, "this case has not run", finding(t, &r.Scenarios[2], "the evidence is complete").Detail)
			require.Equal(t, r.Ledger.Sent, r.Ledger.Delivered+r.Ledger.Abandoned)
		})
	}
}

// The target that was running when the run was broken off is stopped in order,
// and its end is not called a crash.
func TestAnInterruptionIsNoCrash(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	cfg := config(t, own{way: "serves"}, ask("held", `
backends: [{script: [{do: [{read: request}, {reach: there}, stall]}]}]
clients: [{do: [{send: {path: /}}, {receive: {status: 200}}]}, {do: [{await: there}, {send: {path: /}}, {receive: {status: 200}}]}]
expect: [ledger.delivered == 2, invariants]
`))
	cfg.Backend = func(ctx context.Context, c backend.Config) (backend.Server, error) {
		b, err := backend.Start(context.WithoutCancel(ctx), c)
		go func() {
			if c.Hub.Await(context.Background(), "there", 2) == nil {
				cancel(why)
			}
		}()
		return b, err
	}
	require.ErrorIs(t, engine.Run(ctx, cfg), why)
	r := judge(t, cfg.Dir)
	require.Equal(t, reports.Invalid, r.Verdict, "%+v", only(t, r).Findings)
	c := facts(t, cfg)
	require.False(t, c.Target.Crashed)
	require.Zero(t, c.Target.ExitCode)
	require.Equal(t, 2, r.Ledger.Abandoned, "%+v", r.Ledger)
}

// The mark is made before the first case: a harness that is killed leaves it.
func TestARunIsMarkedAsInterruptedUntilItIsWhole(t *testing.T) {
	cfg := config(t, hop{t: t}, plain)
	asked := false
	cfg.Progress = &told{began: func(string) {
		run, err := cfg.Dir.LoadRun()
		require.NoError(t, err)
		require.True(t, run.Interrupted)
		require.Equal(t, reports.Invalid, judge(t, cfg.Dir).Verdict, "nothing has run so far")
		asked = true
	}}
	require.Equal(t, reports.Pass, carry(t, cfg).Verdict)
	require.True(t, asked)
	run, err := cfg.Dir.LoadRun()
	require.NoError(t, err)
	require.False(t, run.Interrupted)
}
