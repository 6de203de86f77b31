package expect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
)

const (
	heads = "methods, statuses and fields came as they were sent"
	loose = "targets and trailers came as they were sent"
)

func sealedly(step string) func(*scene) {
	return func(s *scene) {
		s.Case.Mismatches = []evidence.Mismatch{{Party: "load", Exchange: 1, Step: evidence.Sealed + step, Want: "a", Got: "b"}}
	}
}

// What was sealed is judged by what a proxy may do with it.
func TestSealedMessages(t *testing.T) {
	for name, c := range map[string]struct {
		scene func(*scene)
		want  map[string]reports.Verdict
	}{
		"no seals":         {nil, map[string]reports.Verdict{}},
		"as they were":     {func(s *scene) { s.Case.Loads[0].Sealed = 1 }, map[string]reports.Verdict{heads: reports.Pass, loose: reports.Pass}},
		"another field":    {sealedly("field"), map[string]reports.Verdict{heads: reports.Fail, loose: reports.Pass}},
		"another method":   {sealedly("method"), map[string]reports.Verdict{heads: reports.Fail, loose: reports.Pass}},
		"a lost seal":      {sealedly("seal"), map[string]reports.Verdict{heads: reports.Fail, loose: reports.Pass}},
		"another target":   {sealedly("target"), map[string]reports.Verdict{heads: reports.Pass, loose: reports.Exposed}},
		"a trailer less":   {sealedly("trailer"), map[string]reports.Verdict{heads: reports.Pass, loose: reports.Exposed}},
		"the harness fell": {func(s *scene) { sealedly("field")(s); s.Case.Errors = []string{"x"} }, map[string]reports.Verdict{heads: reports.Invalid, loose: reports.Pass}},
		"a fault of ours changed the answer": {func(s *scene) {
			sealedly("field")(s)
			a := s.Books.Backends[0].Arrivals[0]
			s.Books.Faults = &book.Book{Header: book.Header{Kind: book.FaultBook, Run: run}, Sealed: true, Altered: []book.Altered{
				{Window: 1, Link: 1, Conn: 1, OutPort: a.PeerPort, Run: run, Seq: 1, Nth: 1, Status: 200, End: book.EndLength, Bad: -1, Time: a.Time},
			}}
		}, map[string]reports.Verdict{heads: reports.Pass, loose: reports.Pass}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			steady(s)
			if c.scene != nil {
				c.scene(s)
			}
			got := map[string]reports.Verdict{}
			for _, f := range expect.Implicit(expect.Must, s.facts(t)) {
				if f.That == heads || f.That == loose {
					got[f.That] = f.Verdict
				}
				require.False(t, f.That == "what the scripts demanded came" && f.Verdict != reports.Pass, "no script demanded it")
			}
			require.Equal(t, c.want, got)
		})
	}
}
