package engine_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/targets"
)

// steady asks any backend for varied and whole answers.
var steady = ask("steady", `
backends: [{}]
load: [{name: users, rate: 100/s, for: 500ms, mix: {method: [GET, POST], body: {size: [10, 10KiB]}}}]
expect: [ledger.damaged == 0, ledger.delivered == ledger.sent, invariants]
slo: [{over: users, availability: 100%}]
`)

// realBackend is a server that knows nothing of us.
func realBackend(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func thanks(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, strings.Repeat("thank you ", 100))
}

func tapped(t *testing.T, target targets.Target, answer http.HandlerFunc, text string) engine.Config {
	cfg := config(t, target, text)
	cfg.Taps = []engine.Tap{{To: realBackend(t, answer)}}
	return cfg
}

func TestTapsKeepTheBooksOfRealBackends(t *testing.T) {
	cfg := tapped(t, hop{t: t}, thanks, steady)
	r := carry(t, cfg)
	require.Equal(t, reports.Pass, r.Verdict, "%+v", r.Scenarios)
	require.Equal(t, "client + tap", r.Evidence)
	require.Contains(t, strings.Join(r.Notes, " "), "Not checked: whose answer it is")
	require.Equal(t, r.Ledger.Sent, r.Ledger.Delivered)
	again := judge(t, cfg.Dir)
	require.Equal(t, r, again)
}

// What a target does wrong is found behind taps, too; what it may do is not
// called wrong.
func TestTapsConvictAndAcquit(t *testing.T) {
	twice := func(forward http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				again := r.Clone(r.Context())
				again.Body, again.ContentLength = http.NoBody, 0
				forward.ServeHTTP(httptest.NewRecorder(), again)
			}
			forward.ServeHTTP(w, r)
		})
	}
	drops := func(forward http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			forward.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusBadGateway)
		})
	}
	cache := func(http.Handler) http.Handler { return http.HandlerFunc(thanks) }
	rewrites := func(forward http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			forward.ServeHTTP(httptest.NewRecorder(), r)
			_, _ = io.WriteString(w, "other words")
		})
	}
	for name, c := range map[string]struct {
		wrap    func(http.Handler) http.Handler
		answer  http.HandlerFunc
		verdict reports.Verdict
		count   func(reports.Ledger) int
	}{
		"a POST that runs twice":         {twice, thanks, reports.Fail, func(l reports.Ledger) int { return l.Duplicated }},
		"an answer that was dropped":     {drops, thanks, reports.Fail, func(l reports.Ledger) int { return l.Lost }},
		"an answer of the target's own":  {cache, thanks, reports.Invalid, func(l reports.Ledger) int { return l.Unverified }},
		"a body that was rewritten":      {rewrites, thanks, reports.Invalid, func(l reports.Ledger) int { return l.Unverified }},
		"a backend that says it is busy": {nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, reports.Fail, func(l reports.Ledger) int { return l.Delivered }},
	} {
		t.Run(name, func(t *testing.T) {
			r := carry(t, tapped(t, hop{t: t, wrap: c.wrap}, c.answer, steady))
			require.Equal(t, c.verdict, r.Verdict, "%+v", r.Scenarios)
			require.Positive(t, c.count(r.Ledger), "%+v", r.Ledger)
		})
	}
}

// What only a scripted backend does is not asked of a real one.
func TestRealBackendsAreNotScripted(t *testing.T) {
	for name, text := range map[string]string{
		"a script": ask("a", `
backends: [{script: [{do: [{read: any}, close]}]}]
clients: [{do: [{send: {path: /}}, receive]}]
expect: [ledger.damaged == 0]
`),
		"a demand": plain,
		"an act on backend": ask("a", echo+`
clients: [{do: [{send: {path: /}}, receive]}]
actions: [{at: 1s, do: kill-backend, backend: 1}]
expect: [ledger.damaged == 0]
`),
	} {
		t.Run(name, func(t *testing.T) {
			r := carry(t, tapped(t, hop{t: t}, thanks, text))
			require.Equal(t, []string{"scripted backend"}, only(t, r).Unsupported)
			require.Equal(t, reports.Invalid, r.Verdict, "nothing was checked")
		})
	}
}

// somewhere is a target that runs already.
type somewhere struct {
	hop
	address string
}

func (s somewhere) Plan(w targets.Wants) (*targets.Plan, error) {
	return &targets.Plan{Address: s.address, Settings: w.Given}, nil
}

// Of clients alone only what they see is told.
func TestWithoutAnyBookOfABackend(t *testing.T) {
	address := realBackend(t, thanks)
	cfg := config(t, somewhere{hop{t: t}, address}, steady)
	cfg.Blind = true
	r := carry(t, cfg)
	s := only(t, r)
	require.Equal(t, "client only", r.Evidence)
	for _, that := range []string{"ledger.damaged == 0", "ledger.delivered == ledger.sent", "invariants"} {
		require.Equal(t, reports.Unsupported, finding(t, s, that).Verdict, that)
		require.Equal(t, []string{"backend"}, finding(t, s, that).Missing)
	}
	require.Equal(t, reports.Pass, r.Verdict, "%+v", s.Findings)

	var calls atomic.Int64
	cfg = config(t, somewhere{hop{t: t}, realBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})}, steady)
	cfg.Blind = true
	require.Equal(t, reports.Fail, carry(t, cfg).Verdict, "half of the answers are 502")
}

// A machine that is not ours gets no more than was allowed.
func TestBoundsOfWhatIsSent(t *testing.T) {
	get := strings.ReplaceAll(steady, "[GET, POST]", "GET")
	for name, c := range map[string]struct {
		bounds engine.Bounds
		text   string
		lacks  string
	}{
		"within":         {engine.Bounds{Rate: 100, Safe: true}, get, ""},
		"too many":       {engine.Bounds{Rate: 40}, get, "permission for 50 requests in a second (at most 40 to a host that is not on loopback; --max-rate)"},
		"a POST":         {engine.Bounds{Safe: true}, steady, "permission for requests that may change something or are malformed (--allow-unsafe)"},
		"a POST allowed": {engine.Bounds{Rate: 100}, steady, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := tapped(t, hop{t: t}, thanks, c.text)
			cfg.Bounds = c.bounds
			s := only(t, carry(t, cfg))
			require.Equal(t, c.lacks == "", s.Ledger.Sent > 0)
			if c.lacks != "" {
				require.Equal(t, []string{c.lacks}, s.Unsupported)
			}
		})
	}
}
