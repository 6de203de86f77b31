package expect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gauntlet/fixtures/book"
	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
)

func TestAFailureShowsItsOperandsAndItsExchanges(t *testing.T) {
	s := newScene()
	s.name(s.exchange(0, 0, 1), "one")
	s.name(refused(s.exchange(0, time.Second, 0), 503), "two")
	s.Attempts[2] = []expect.Attempt{{ErrorType: "refused", Phase: "connect", Endpoint: "127.0.0.1:9"}}
	s.Case.Settings["d"] = "5ms"
	for _, c := range []struct {
		that      string
		values    []expect.Value
		exchanges []uint64
	}{
		{`exchange("two").outcome == "delivered" || method in ["GET"]`, []expect.Value{{`exchange("two").outcome`, `"rejected"`}, {"method", `"POST"`}}, []uint64{2}},
		{`exchange("one").took <= setting("d") + duration("1ms")`, []expect.Value{{`exchange("one").took`, "10ms"}, {`setting("d")`, "5ms"}}, []uint64{1}},
		{`ledger.failed == 0 && ledger.lost == 0`, []expect.Value{{"ledger.failed", "1"}}, []uint64{2}},
		{`attempts("two").exists(a, a.phase == "tls")`, []expect.Value{{`attempts("two")`, `[{error_type: "refused", phase: "connect", reason: "", endpoint: "127.0.0.1:9", resend: 0}]`}}, []uint64{2}},
		{`backend.arrivals(duration("0s"), exchange("one").took) > 3`, []expect.Value{{`backend.arrivals(duration("0s"), exchange("one").took)`, "1"}, {`exchange("one").took`, "10ms"}}, []uint64{1}},
		{`client.status(503) < ledger.rejected`, []expect.Value{{"client.status(503)", "1"}, {"ledger.rejected", "1"}}, []uint64{2}},
		{`cut.deep.n == count`, []expect.Value{{"cut.deep.n", "1"}, {"count", "3"}}, []uint64{2}},
	} {
		got := s.judge(t, expect.Expectation{That: c.that, Because: "why"})
		require.Equal(t, expect.Finding{That: c.that, Verdict: reports.Fail, Because: "why", Level: expect.Must, Values: c.values, Exchanges: c.exchanges}, got)
	}
}

// Gaps in the evidence neither accuse nor excuse: what does not hold is invalid,
// unless it is about damage that was seen.
func TestGapsInTheEvidenceAccuseNobody(t *testing.T) {
	for name, gap := range map[string]func(*scene){
		"a missing book":          func(s *scene) { s.Books.Backends[0] = nil },
		"a cut book":              func(s *scene) { s.Books.Backends[1].Torn = true },
		"an error of the harness": func(s *scene) { s.Case.Errors = []string{"disk full"} },
	} {
		s := newScene()
		s.name(s.exchange(0, 0, 1), "one")
		s.name(refused(s.exchange(0, time.Second, 0), 503), "two")
		gap(s)
		for _, that := range []string{"ledger.delivered == 2", `exchange("two").outcome == "delivered"`} {
			for level, text := range map[expect.Level]string{expect.Must: "fails", expect.Should: "exposes"} {
				got := s.judge(t, expect.Expectation{That: that, Level: level})
				require.Equal(t, reports.Invalid, got.Verdict, "%s %s: %s", name, text, that)
				require.Contains(t, got.Message, "cannot be told")
				require.NotEmpty(t, got.Values, "a reader sees what was found")
			}
		}
		require.Equal(t, reports.Pass, s.judge(t, expect.Expectation{That: "ledger.sent == 2"}).Verdict, name)
		cut := s.exchange(0, 2*time.Second, 2)
		cut.End, cut.RespBytes, cut.Status = book.EndTimeout, 0, 0
		require.Equal(t, reports.Fail, s.judge(t, expect.Expectation{That: "ledger.damaged == 0"}).Verdict, name)
	}
}

func TestLevels(t *testing.T) {
	s := newScene()
	two(s)
	for level, want := range map[expect.Level]reports.Verdict{expect.Must: reports.Fail, expect.Should: reports.Exposed, expect.May: reports.Exposed} {
		got := s.judge(t, expect.Expectation{That: "ledger.sent == 0", Level: level})
		require.Equal(t, want, got.Verdict)
		require.Equal(t, level, got.Level)
	}
	p, problems := expect.Compile(scope, expect.Should, []expect.Expectation{{That: "ledger.sent == 0"}})
	require.Empty(t, problems)
	require.Equal(t, reports.Exposed, expect.Judge(p, s.facts(t))[0].Verdict, "the scenario's level is the default")
}

func TestWhatIsMissingIsUnsupportedAndWhatIsBrokenIsInvalid(t *testing.T) {
	noTraces := func(s *scene) { s.Case.Target.Telemetry, s.Attempts = nil, nil }
	for _, c := range []struct {
		name, that string
		needs      expect.Needs
		scene      func(*scene)
		verdict    reports.Verdict
		missing    []string
		message    string
	}{
		{"no traces", `exchange("one").attempts == 1`, nil, noTraces, reports.Unsupported, []string{"traces"}, "the target gives no traces"},
		{"no traces though asked for", `ledger.sent == 2`, expect.Needs{"traces"}, noTraces, reports.Unsupported, []string{"traces"}, "the target gives no traces"},
		{"not even vacuously true", `attempts("one").all(a, a.phase == "")`, nil, noTraces, reports.Unsupported, []string{"traces"}, "the target gives no traces"},
		{"truth without the traces", `ledger.sent == 2 || exchange("one").attempts == 1`, nil, noTraces, reports.Pass, nil, ""},
		{"traces cut off", `span_events("x") == 0`, nil, func(s *scene) { s.Case.Target.Traces = false }, reports.Invalid, nil, "cannot be told: the target's traces are incomplete"},
		{"no process", `target.exited_within(duration("1s"))`, nil, func(s *scene) { s.Case.Target.PID = 0 }, reports.Unsupported, []string{"process"}, "the target gives no process"},
		{"no metrics", `target.settled(duration("3s")).pool_leased == 0`, nil, func(s *scene) { sampled(s); s.Case.Target.Telemetry = nil }, reports.Unsupported, []string{"metrics"}, "the target gives no metrics"},
		{"another metric", `target.settled(duration("1s")).inflight == 0`, nil, sampled, reports.Unsupported, []string{"metric inflight"}, "the target gives no metric inflight"},
		{"no setting", `exchange("one").took < setting("d")`, nil, nil, reports.Unsupported, []string{"setting d"}, "the target gives no setting d"},
		{"a setting of nonsense", `setting("n") == 1`, nil, func(s *scene) { s.Case.Settings["n"] = "many" }, reports.Invalid, nil, `cannot be told: setting n is "many": strconv.ParseInt: parsing "many": invalid syntax`},
		{"no backend at all", `backend.requests == 2`, nil, func(s *scene) { s.Case.Backends = 0; s.Books.Backends = nil }, reports.Unsupported, []string{"backend"}, "the target gives no backend"},
		{"a lost backend book", `backend.sightings("one") == 1`, nil, func(s *scene) { s.Books.Backends[0] = nil }, reports.Invalid, nil, "cannot be told: a backend book is missing"},
		{"never sent", `exchange("one").status == 200`, nil, func(s *scene) { delete(s.Case.Names, "one") }, reports.Invalid, nil, `cannot be told: the exchange "one" was never sent`},
		{"no window", `from("outage") < until("outage")`, nil, nil, reports.Invalid, nil, `cannot be told: the window "outage" never opened`},
		{"no load", `load("steady").availability == 1.0`, nil, func(s *scene) { s.Case.Groups = nil }, reports.Invalid, nil, `cannot be told: the load "steady" was never started`},
		{"nothing in the window", `load("steady").window(duration("90s"), duration("91s")).availability == 1.0`, nil, steady, reports.Invalid, nil, "cannot be told: no exchange of the load is in the window"},
		{"no latency in the window", `load("steady").window(duration("90s"), duration("91s")).latency.p99 < duration("1s")`, nil, steady, reports.Invalid, nil, "cannot be told: no exchange is in the window"},
		{"not sampled", `target.settled(duration("3s")).descriptors == 0`, nil, nil, reports.Invalid, nil, "cannot be told: the target was not sampled after the clients had ended"},
		{"no baseline", `target.baseline.descriptors == 0`, nil, nil, reports.Invalid, nil, "cannot be told: the target was not sampled"},
		{"no graceful stop", `target.exited_within(duration("3s"))`, nil, nil, reports.Invalid, nil, "cannot be told: no graceful stop was asked for"},
		{"still running", `target.exit_code == 0`, nil, nil, reports.Invalid, nil, "cannot be told: the target did not exit"},
		{"which backend", `backend.requests_on(1) == 1`, nil, nil, reports.Invalid, nil, "requests_on of 2 backends: name one, as in backend(1).requests_on(2)"},
		{"division", `1 / (ledger.sent - 2) == 1`, nil, nil, reports.Invalid, nil, "division by zero"},
		{"cost", `[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, a+b+c+d+e+f > 0))))))`, nil, nil, reports.Invalid, nil, "operation cancelled: actual cost limit exceeded"},
		{"a body of its own", `exchange("one").client.is_prefix_of_backend`, nil, func(s *scene) {
			c := &s.Books.Client.Clients[0]
			c.RespBytes, c.RespBad, c.End = 3, 0, book.EndCut
			s.Books.Backends[0].Departures[0].RespBad = 0
		}, reports.Invalid, nil, "cannot be told: the backend wrote a body of its own, of which only the whole can be compared"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			two(s)
			if c.scene != nil {
				c.scene(s)
			}
			got := s.judge(t, expect.Expectation{That: c.that, Needs: c.needs})
			require.Equal(t, c.verdict, got.Verdict, "%+v", got)
			require.Equal(t, c.missing, got.Missing)
			require.Equal(t, c.message, got.Message)
			require.Empty(t, got.Values)
		})
	}
}

func TestWhatNoProxyCanPreventIsExposed(t *testing.T) {
	s := newScene()
	c := s.exchange(0, 0, 1) // close-delimited to an HTTP/1.0 client, and cut by the backend
	c.End, c.RespBytes, c.RespSum, c.Flags = book.EndClose, 32, 5, c.Flags|book.OldClient
	d := &s.Books.Backends[0].Departures[0]
	d.End, d.Flags = book.EndCut, d.Flags&^book.AnswerWhole
	require.Equal(t, 1, s.facts(t).Ledger.Unavoidable())
	for _, that := range []string{"ledger.damaged == 0", "ledger.truncated == 0 && ledger.delivered == ledger.sent", "invariants"} {
		got := s.judge(t, expect.Expectation{That: that})
		require.Equal(t, reports.Exposed, got.Verdict, that)
		require.True(t, got.Unavoidable, that)
	}
	require.Equal(t, reports.Fail, s.judge(t, expect.Expectation{That: "ledger.sent == 0"}).Verdict, "what else is wrong is not forgiven")
	silent(s.exchange(0, time.Second, 1), book.EndCut)
	for _, that := range []string{"ledger.damaged == 0", "invariants"} {
		got := s.judge(t, expect.Expectation{That: that})
		require.Equal(t, reports.Fail, got.Verdict, "one more, and that one avoidable: %s", that)
		require.False(t, got.Unavoidable, that)
	}
}

func TestInvariants(t *testing.T) {
	for name, c := range map[string]struct {
		scene   func(*scene)
		verdict reports.Verdict
		value   expect.Value
	}{
		"whole":        {two, reports.Pass, expect.Value{}},
		"I4":           {func(s *scene) { two(s); s.Books.Client.Clients[0].RespSum++ }, reports.Fail, expect.Value{Operand: "I4", Value: "broken 1 times"}},
		"I6":           {func(s *scene) { two(s); s.sighting(1, 77, ms, 2*ms) }, reports.Fail, expect.Value{Operand: "I6", Value: "broken 1 times"}},
		"I8":           {func(s *scene) { amplify(s); s.Case.Settings["upstream.retries"] = "0" }, reports.Fail, expect.Value{Operand: "I8", Value: "broken 1 times"}},
		"I8 allowed":   {func(s *scene) { amplify(s); s.Case.Settings["upstream.retries"] = "2" }, reports.Pass, expect.Value{}},
		"I8 not known": {amplify, reports.Pass, expect.Value{}},
		"I10":          {func(s *scene) { two(s); rest(s, 8, 8) }, reports.Fail, expect.Value{Operand: "I10", Value: "broken 1 times"}},
		"I10 at rest":  {func(s *scene) { two(s); rest(s, 8, 0) }, reports.Pass, expect.Value{}},
		"I10 too soon": {func(s *scene) { two(s); rest(s, 8) }, reports.Pass, expect.Value{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			c.scene(s)
			got := s.judge(t, expect.Expectation{That: "invariants"})
			require.Equal(t, c.verdict, got.Verdict, "%+v", got)
			if c.verdict == reports.Fail {
				require.Equal(t, []expect.Value{c.value}, got.Values)
				require.NotEmpty(t, got.Message)
			}
		})
	}
}

// amplify lets backends see one GET three times.
func amplify(s *scene) {
	two(s)
	s.sighting(2, 1, 2*ms, 3*ms)
	s.sighting(1, 1, 3*ms, 4*ms)
}

// rest samples the pool once a second, from half a second after the end on.
func rest(s *scene, leased ...float64) {
	for i, n := range leased {
		at := s.Case.End + int64(500*ms) + int64(i)*int64(2*time.Second)
		s.Case.Target.Samples = append(s.Case.Target.Samples, evidence.Sample{At: at, Metrics: map[string]float64{"pool_leased": n, "inflight": 0}})
	}
}

func TestTheSameFactsGiveTheSameFindings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newScene()
		for range rapid.IntRange(1, 20).Draw(t, "exchanges") {
			c := s.exchange(uint16(rapid.IntRange(0, 1).Draw(t, "group")), time.Duration(rapid.IntRange(0, 9000).Draw(t, "at"))*ms, rapid.IntRange(0, 2).Draw(t, "backend"))
			c.End = book.End(rapid.IntRange(0, int(book.EndMalformed)).Draw(t, "end"))
		}
		s.Case.Names["one"] = 1
		var list []expect.Expectation
		for _, f := range functions {
			if f.fails != "" {
				list = append(list, expect.Expectation{That: f.holds}, expect.Expectation{That: f.fails})
			}
		}
		p := compile(t, list...)
		f := s.facts(t)
		first := expect.Judge(p, f)
		require.Equal(t, first, expect.Judge(p, f))
		for _, finding := range first {
			require.True(t, finding.Verdict.Known())
		}
	})
}
