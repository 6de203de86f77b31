package engine_test

import (
	"io"
	"maps"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/exchange"
	"gauntlet/reports"
)

// keeper gives every exchange behind the first the first one's answer.
type keeper struct {
	forward http.Handler

	mu   sync.Mutex
	kept *recorded
}

type recorded struct {
	http.ResponseWriter
	body []byte
	head http.Header
}

func (r *recorded) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return r.ResponseWriter.Write(b)
}

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept = &recorded{ResponseWriter: w}
		k.forward.ServeHTTP(k.kept, r)
		k.kept.head = w.Header().Clone()
		return
	}
	maps.Copy(w.Header(), k.kept.head)
	_, _ = w.Write(k.kept.body)
}

func TestAnAnswerOfSomeoneElseIsCrosswired(t *testing.T) {
	cfg := config(t, hop{t: t, wrap: func(f http.Handler) http.Handler { return &keeper{forward: f} }}, ask("mine", echo+`
clients: [{do: [{send: {path: /}, as: first}, receive, {send: {path: /}, as: second}, receive]}]
expect: [ledger.crosswired == 0, invariants]
`))
	r := carry(t, cfg)
	require.Equal(t, reports.Fail, r.Verdict)
	require.Equal(t, 1, r.Ledger.Crosswired, "%+v", r.Ledger)
	require.Equal(t, 1, r.Ledger.Delivered)
	s := only(t, r)
	second := exchange.ID{Run: facts(t, cfg).Run, Seq: facts(t, cfg).Names["second"]}.String()
	for _, that := range []string{"ledger.crosswired == 0", "invariants"} {
		f := finding(t, s, that)
		require.Equal(t, reports.Fail, f.Verdict)
		require.Equal(t, []string{second}, f.Exchanges, "the innocent one is not named")
	}
	require.Len(t, s.Cases[0].Exchanges, 1)
	shown := s.Cases[0].Exchanges[0]
	require.Equal(t, []string{second, "second", "crosswired"}, []string{shown.ID, shown.Name, shown.Outcome})
	require.NotEmpty(t, shown.Moments)
	require.Equal(t, []reports.Verdict{reports.Fail}, cfg.Progress.(*told).done, "the progress line says it at once")
}

// twice sends every request to the backend two times.
func twice(forward http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		again := r.Clone(r.Context())
		forward.ServeHTTP(&nowhere{head: http.Header{}}, again)
		forward.ServeHTTP(w, r)
	})
}

// nowhere takes an answer that nobody gets.
type nowhere struct{ head http.Header }

func (n *nowhere) Header() http.Header         { return n.head }
func (n *nowhere) Write(b []byte) (int, error) { return io.Discard.Write(b) }
func (n *nowhere) WriteHeader(int)             {}

func TestWhatRanTwiceIsDuplicatedUnlessItMay(t *testing.T) {
	const steps = `
vary: {method: [POST, DELETE]}
clients: [{do: [{send: {method: "${method}", path: /}, as: one}, receive]}]
expect: [ledger.duplicated == 0]
`
	cfg := config(t, hop{t: t, wrap: twice}, ask("once", echo+steps))
	r := carry(t, cfg)
	s := only(t, r)
	require.Equal(t, reports.Fail, r.Verdict)
	require.Equal(t, 1, r.Ledger.Duplicated)
	require.Equal(t, 1, r.Ledger.Delivered)
	for _, c := range s.Cases {
		want := reports.Pass
		if c.Name == "method=POST" {
			want = reports.Fail
		}
		require.Equal(t, want, c.Verdict, c.Name)
	}
}

// A report shows a few exchanges in full and says how many more there are.
func TestTheExchangesShownAreBounded(t *testing.T) {
	cfg := config(t, hop{t: t, wrap: func(f http.Handler) http.Handler { return &keeper{forward: f} }}, ask("many", echo+`
clients: [{loop: {times: 80}, do: [{send: {path: /}}, receive]}]
expect: [ledger.damaged == 0]
`))
	r := carry(t, cfg)
	require.Equal(t, 79, r.Ledger.Crosswired)
	c := only(t, r).Cases[0]
	require.Len(t, c.Exchanges, 25)
	require.Equal(t, 79-25, c.Omitted)
	require.Len(t, finding(t, only(t, r), "ledger.damaged == 0").Exchanges, 50)
}
