package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
)

// asks sends one request before the backend's end, one while it is away and one
// when it is there again.
const asks = `
backends: [{script: [{do: [{read: request}, {respond: {status: 200}}]}]}]
clients:
  - do:
      - {send: {path: /}, as: first}
      - {receive: {status: 200}}
      - {reach: half}
      - {pause: 2s}
      - {send: {path: /}, as: second}
      - {receive: {status: 502}}
      - {reach: late}
      - {pause: 2s}
      - {send: {path: /}, as: third}
      - {receive: {status: 200}}
expect:
  - exchange("first").outcome == "delivered"
  - exchange("second").outcome == "rejected"
  - exchange("third").outcome == "delivered"
  - backend(1).requests == 2 && backend(1).connections == 2
  - ledger.unknown == 0
`

// A backend that comes back keeps a second book, and the ledger reads both as one.
func TestABackendThatIsStartedAgain(t *testing.T) {
	for _, end := range []string{"stop", "kill"} {
		cfg := config(t, hop{t: t}, ask("again", asks+`
actions:
  - {await: half, do: `+end+`-backend, backend: 1}
  - {await: late, do: start-backend, backend: 1}
`))
		r := carry(t, cfg)
		require.Equal(t, reports.Pass, r.Verdict, "%s: %+v", end, only(t, r).Findings)
		c := facts(t, cfg)
		require.Len(t, c.Again, 1)
		require.Equal(t, end == "kill", c.Again[0].Died != 0, end)
		require.Empty(t, c.Gone)
	}
}

// A restart is both, and its window is what it says it was.
func TestABackendThatIsRestarted(t *testing.T) {
	cfg := config(t, hop{t: t}, ask("restarted", `
backends: [{script: [{when: request == 2, do: [{read: request}, {reach: there}, stall]}, {do: [{read: request}, {respond: {status: 200}}]}]}]
clients:
  - do: [{send: {path: /}}, {receive: {status: 200}}, {send: {method: POST, path: /}, as: cut}, {receive: {status: 502}}, {pause: 2s}, {send: {path: /}, as: after}, {receive: {status: 200}}]
actions: [{await: there, do: restart-backend, backend: 1, for: 300ms, name: away}]
expect:
  - exchange("cut").outcome == "indeterminate"
  - exchange("after").outcome == "delivered"
  - first_success_after("away") > duration("0s")
`))
	r := carry(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict, "%+v", only(t, r).Findings)
	w := facts(t, cfg).Windows["away"]
	require.GreaterOrEqual(t, w.Until-w.From, int64(3e8))
}

// A backend that is elsewhere cannot come back where it was, and nobody is judged
// for that.
func TestABackendElsewhereIsNotStartedAgain(t *testing.T) {
	cfg := config(t, hop{t: t}, ask("again", asks+`
actions:
  - {await: half, do: stop-backend, backend: 1}
  - {await: late, do: start-backend, backend: 1}
`))
	cfg.Backend = killing(t)
	r := carry(t, cfg)
	require.Equal(t, []string{"backend that can be started again at its address"}, only(t, r).Unsupported)
}
