package expect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
)

func TestImplicitFindings(t *testing.T) {
	const complete, offered, opened, scripts, crash = "the evidence is complete", "the load was offered", "every fault window opened", "what the scripts demanded came", "the target did not crash"
	for _, c := range []struct {
		name, that string
		scene      func(*scene)
		verdict    reports.Verdict
		message    string
	}{
		{"whole", complete, nil, reports.Pass, ""},
		{"a torn book", complete, func(s *scene) { s.Books.Backends[1].Sealed = false; s.Books.Backends[1].Torn = true }, reports.Invalid, "the book of backend 2 ends within a record"},
		{"a lost book", complete, func(s *scene) { s.Books.Backends[1] = nil }, reports.Invalid, "the book of backend 2 is missing; 10 exchanges cannot be verified"},
		{"our own error", complete, func(s *scene) { s.Case.Errors = []string{"no ports left"} }, reports.Invalid, "no ports left"},
		{"nothing sent", complete, func(s *scene) {
			s.Books.Client.Clients = nil
			s.Books.Backends[0].Arrivals = nil
			s.Books.Backends[0].Departures = nil
		}, reports.Invalid, "no exchange was sent"},
		{"offered", offered, nil, reports.Pass, ""},
		{"a little less", offered, func(s *scene) { s.Case.Loads[0].Planned, s.Case.Loads[0].Sent = 1000, 990 }, reports.Pass, ""},
		{"too little", offered, func(s *scene) { s.Case.Loads[0].Planned, s.Case.Loads[0].Sent = 1000, 989 }, reports.Invalid, `load "steady": 989 of 1000 planned exchanges were started`},
		{"not at all", offered, func(s *scene) { s.Case.Loads = nil }, reports.Invalid, `load "steady" was never started`},
		{"opened", opened, fault(true), reports.Pass, ""},
		{"not opened", opened, fault(false), reports.Invalid, "fault 1 (refuse on backend-1) did not come about while the clients ran"},
		{"no demand broken", scripts, nil, reports.Pass, ""},
		{"a demand broken", scripts, mismatch(1), reports.Fail, `client: receive wanted 200, got 502`},
		{"many", scripts, mismatch(5), reports.Fail, `client: receive wanted 200, got 502; client: receive wanted 200, got 502; client: receive wanted 200, got 502; and 2 more`},
		{"alive", crash, nil, reports.Pass, ""},
		{"crashed", crash, func(s *scene) { s.Case.Target.Crashed, s.Case.Target.ExitCode = true, 139 }, reports.Fail, "it ended with exit code 139 while nobody had asked it to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			steady(s)
			if c.scene != nil {
				c.scene(s)
			}
			for _, f := range expect.Implicit(expect.Must, s.facts(t)) {
				if f.That == c.that {
					require.Equal(t, c.verdict, f.Verdict, "%+v", f)
					require.Equal(t, c.message, f.Message)
					return
				}
			}
			require.Fail(t, "no such finding")
		})
	}
}

func TestImplicitFindingsThatDoNotApplyAreNotThere(t *testing.T) {
	s := newScene()
	s.Case.Groups, s.Case.Target.PID = nil, 0
	two(s)
	require.Len(t, expect.Implicit(expect.Must, s.facts(t)), 2)
}

func fault(opened bool) func(*scene) {
	return func(s *scene) {
		s.Case.Faults = []evidence.Fault{{Link: "backend-1", Fault: "refuse", Opened: opened}}
	}
}

func mismatch(n int) func(*scene) {
	return func(s *scene) {
		for range n {
			s.Case.Mismatches = append(s.Case.Mismatches, evidence.Mismatch{Party: "client", Exchange: 1, Step: "receive", Want: "200", Got: "502"})
		}
	}
}

func TestRepetitionsBecomeARate(t *testing.T) {
	run := func(verdicts ...reports.Verdict) expect.Finding {
		var all [][]expect.Finding
		for i, v := range verdicts {
			all = append(all, []expect.Finding{{That: "x", Verdict: v, Message: map[bool]string{true: "seen"}[v == reports.Fail], Exchanges: []uint64{uint64(i)}}})
		}
		merged := expect.Repeated(all)
		require.Len(t, merged, 1)
		return merged[0]
	}
	many := make([]reports.Verdict, 50)
	for i := range many {
		many[i] = reports.Pass
	}
	require.Equal(t, reports.Pass, run(many...).Verdict)
	require.Equal(t, "broken in 0 of 50 repetitions (95 % interval 0.0–7.1 %)", run(many...).Message)
	many[7] = reports.Fail
	require.Equal(t, reports.Fail, run(many...).Verdict)
	require.Equal(t, "broken in 1 of 50 repetitions (95 % interval 0.4–10.5 %); for one: seen", run(many...).Message)
	require.Equal(t, []uint64{7}, run(many...).Exchanges)
	require.Equal(t, reports.Invalid, run(reports.Pass, reports.Invalid).Verdict)
	require.Contains(t, run(reports.Pass, reports.Invalid).Message, "broken in 0 of 1 repetitions")
	require.Contains(t, run(reports.Pass, reports.Invalid).Message, "1 could not tell")
	require.Equal(t, reports.Fail, run(reports.Invalid, reports.Fail).Verdict)
	require.Equal(t, reports.Unsupported, run(reports.Unsupported, reports.Unsupported).Verdict)
	require.Empty(t, run(reports.Pass).Message, "one run has no rate")
	require.Empty(t, expect.Repeated(nil))
}

// The figures are those of the score interval as published tables give it.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{{0, 10, 0, 0.2775}, {1, 10, 0.0179, 0.4042}, {5, 10, 0.2366, 0.7634}, {10, 10, 0.7225, 1}, {0, 0, 0, 1}} {
		low, high := expect.Wilson(c.k, c.n)
		require.InDelta(t, c.low, low, 1e-4)
		require.InDelta(t, c.high, high, 1e-4)
	}
}
