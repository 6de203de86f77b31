package engine_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/exchange"
	"gauntlet/reports"
	"gauntlet/scenarios/engine"
)

// gone asks twice; between the two the backend may be killed.
var gone = `
backends:
  - script:
      - {when: path == "/never", do: [{reach: killed}]} # it is the test that reaches it
      - {do: [{read: request}, {respond: {status: 200}}]}
clients:
  - do: [{send: {path: /}, as: first}, {receive: {until: end}}, {reach: half}, {await: killed}, {send: {path: /}, as: second}, receive]
expect: [ledger.delivered == 2, ledger.damaged == 0]
`

// killing starts backends that a stranger kills in the middle of the case.
func killing(t *testing.T) engine.StartBackend {
	return func(ctx context.Context, cfg backend.Config) (backend.Server, error) {
		b, err := backend.Start(ctx, cfg)
		if err != nil {
			return nil, err
		}
		done := make(chan struct{})
		t.Cleanup(func() { <-done })
		go func() {
			defer close(done)
			if cfg.Hub.Await(ctx, "half", 1) == nil && b.Kill(ctx) == nil {
				cfg.Hub.Reach("killed")
			}
		}()
		return b, nil
	}
}

// A backend of ours that dies by itself proves nothing against the target.
func TestNobodyIsAccusedWhereABackendOfOursDied(t *testing.T) {
	cfg := config(t, hop{t: t}, ask("gone", gone))
	cfg.Backend = killing(t)
	r := carry(t, cfg)
	require.Equal(t, reports.Invalid, r.Verdict, "%+v", only(t, r).Findings)
	require.Equal(t, []int{1}, facts(t, cfg).Gone)
	f := finding(t, only(t, r), "ledger.delivered == 2")
	require.Equal(t, reports.Invalid, f.Verdict)
	require.Contains(t, f.Detail, "cannot be told")
	require.Contains(t, finding(t, only(t, r), "the evidence is complete").Detail, "backend 1 ended while nobody had asked it to")
}

// Nor does it excuse what no dead backend can cause.
func TestADeadBackendDoesNotExcuseAForeignAnswer(t *testing.T) {
	cfg := config(t, hop{t: t, wrap: func(forward http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, err := exchange.Parse(r.Header.Get(exchange.Header))
			if err == nil && id.Seq == 1 {
				id.Seq++
				r.Header.Set(exchange.Header, id.String())
			}
			forward.ServeHTTP(w, r)
		})
	}}, ask("gone", gone))
	cfg.Backend = killing(t)
	r := carry(t, cfg)
	require.Equal(t, reports.Fail, r.Verdict, "%+v", only(t, r).Findings)
}

// A backend that the scenario itself kills is evidence enough: its book breaks
// off where the scenario says.
func TestABackendKilledByTheScenarioIsNoGap(t *testing.T) {
	cfg := config(t, hop{t: t}, ask("killed", `
backends: [{script: [{do: [{read: request}, {respond: {status: 200}}]}]}]
clients:
  - do: [{send: {path: /}, as: first}, {receive: {until: end}}, {reach: half}, {pause: 2s}, {send: {path: /}, as: second}, {receive: {status: 502}}]
actions: [{await: half, do: kill-backend, backend: 1}]
expect:
  - exchange("first").outcome == "delivered"
  - exchange("second").outcome == "rejected"
`))
	r := carry(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict, "%+v", only(t, r).Findings)
	require.Positive(t, facts(t, cfg).Died[0])
}
