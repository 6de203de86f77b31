package expect_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
)

const ms = time.Millisecond

// Every word of the language, once true and once false, on books made by hand.
var functions = []struct {
	name  string
	holds string
	fails string
	scene func(s *scene)
}{
	{"ledger.sent", `ledger.sent == 2`, `ledger.sent == 3`, two},
	{"ledger.delivered", `ledger.delivered == 2`, `ledger.delivered < 2`, two},
	{"ledger.damaged", `ledger.damaged == 1 && ledger.lost == 1`, `ledger.damaged == 0`, func(s *scene) { silent(s.exchange(0, 0, 1), book.EndCut) }},
	{"ledger.stuck", `ledger.stuck == 1`, `ledger.stuck == 0`, func(s *scene) { silent(s.exchange(0, 0, 0), book.EndTimeout) }},
	{"ledger.crosswired", `ledger.crosswired == 1`, `ledger.crosswired == 0`, func(s *scene) {
		two(s)
		c := &s.Books.Client.Clients[0]
		c.Flags, c.Foreign = c.Flags&^book.Echoed|book.EchoForeign, 2
	}},
	{"ledger.corrupted", `ledger.corrupted == 1`, `ledger.corrupted == 0`, func(s *scene) { s.exchange(0, 0, 1).RespSum++ }},
	{"ledger.duplicated", `ledger.duplicated == 1`, `ledger.duplicated == 0`, func(s *scene) {
		s.exchange(0, 0, 1).Flags &^= book.Idempotent
		s.sighting(2, 1, 2*ms, 3*ms)
	}},
	{"ledger.truncated", `ledger.truncated == 1`, `ledger.truncated == 0`, func(s *scene) {
		c := s.exchange(0, 0, 1)
		c.RespBytes, c.RespSum = 32, 5
	}},
	{"ledger.abandoned", `ledger.abandoned == 1`, `ledger.abandoned == 0`, func(s *scene) { silent(s.exchange(0, 0, 0), book.EndAbandoned) }},
	{"ledger.rejected", `ledger.rejected == 1 && ledger.failed == 1`, `ledger.failed == 0`, func(s *scene) { refused(s.exchange(0, 0, 0), 503) }},
	{"ledger.indeterminate", `ledger.indeterminate == 1`, `ledger.indeterminate == 0`, func(s *scene) {
		c := refused(s.exchange(0, 0, 0), 502)
		_, d := s.sighting(1, c.Seq, ms, 2*ms)
		d.Status, d.End, d.Flags, d.RespBytes, d.RespSum, d.FirstByte = 0, book.EndCut, book.HeadWhole|book.BodyWhole, 0, 0, 0
	}},
	{"ledger.unverified", `ledger.unverified == 1 && ledger.unknown == 1`, `ledger.unknown == 0`, func(s *scene) {
		s.exchange(0, 0, 1)
		s.Books.Backends[0] = nil
	}},
	{"ledger.phantom", `ledger.phantom == 1`, `ledger.phantom == 0`, func(s *scene) { two(s); s.sighting(1, 99, ms, 2*ms) }},
	{"ledger.anonymous", `ledger.anonymous == 1`, `ledger.anonymous == 0`, func(s *scene) {
		two(s)
		a, _ := s.sighting(1, 0, ms, 2*ms)
		a.Run, a.Flags = 0, a.Flags|book.NoID
	}},
	{"ledger.unsent", `ledger.unsent == 0`, `ledger.unsent == 1`, two},
	{"ledger.avoidable", `ledger.avoidable == 0`, `ledger.avoidable > 0`, two},
	{"latency", `latency.p50 == duration("10ms") && latency.max == duration("90ms")`, `latency.p99 <= duration("50ms")`, steady},
	{"load.sent", `load("steady").sent == 10 && load("steady").planned == 10 && load("steady").delivered == 9`, `load("steady").delivered == 10`, steady},
	{"load.availability", `load("steady").availability == 0.9`, `load("steady").availability == 1.0`, steady},
	{"load.abandoned", `load("steady").abandoned == 0`, `load("steady").abandoned > 0`, steady},
	{"load.latency", `load("steady").latency.p90 <= duration("10ms") && load("steady").latency.p95 > duration("10ms")`, `load("steady").latency.max < duration("90ms")`, steady},
	{"load.window", `load("steady").window(duration("2s"), duration("9s")).availability == 1.0`, `load("steady").window(duration("0s"), duration("2s")).availability == 1.0`, steady},
	{"load.window bounds", `load("steady").window(duration("1s"), duration("2s")).sent == 1`, `load("steady").window(duration("1s"), duration("2s")).sent == 2`, steady},
	{"exchange.outcome", `exchange("one").outcome == "delivered"`, `exchange("one").outcome == "lost"`, two},
	{"exchange.status", `exchange("one").status == 200`, `exchange("one").status in [502, 503, 504]`, two},
	{"exchange.took", `exchange("one").took <= duration("10ms")`, `exchange("one").took < duration("10ms")`, two},
	{"exchange.attempts", `exchange("one").attempts == 2`, `exchange("one").attempts == 1`, traced},
	{"exchange.sightings", `exchange("one").sightings == 1 && exchange("two").sightings == 2`, `exchange("two").sightings == 1`, seen},
	{"exchange.avoidable", `!exchange("one").avoidable`, `exchange("one").avoidable`, two},
	{"client.ended", `exchange("one").client.ended == "aborted"`, `exchange("one").client.ended == "clean"`, func(s *scene) { s.name(silent(s.exchange(0, 0, 0), book.EndReset), "one") }},
	{"client.ended clean", `exchange("one").client.ended == "clean"`, `exchange("one").client.ended != "clean"`, two},
	{"client.made_by", `exchange("one").client.made_by == "backend" && exchange("two").client.made_by == "proxy"`, `exchange("two").client.made_by == "nobody"`, func(s *scene) {
		s.name(s.exchange(0, 0, 1), "one")
		s.name(refused(s.exchange(0, 0, 0), 502), "two")
	}},
	{"client.is_prefix_of_backend", `exchange("one").client.is_prefix_of_backend`, `exchange("two").client.is_prefix_of_backend`, func(s *scene) {
		c := s.name(s.exchange(0, 0, 1), "one")
		c.End, c.RespBytes, c.RespSum = book.EndCut, 32, 5
		s.name(s.exchange(0, time.Second, 1), "two").RespSum++
	}},
	{"client.is_prefix_of_backend for a proxy's answer", `exchange("one").client.is_prefix_of_backend`, `!exchange("one").client.is_prefix_of_backend`, func(s *scene) { s.name(refused(s.exchange(0, 0, 1), 502), "one") }},
	{"client.bytes", `exchange("one").client.bytes == 64`, `exchange("one").client.bytes == 0`, two},
	{"client.interim", `exchange("one").client.interim == 2`, `exchange("one").client.interim == 0`, func(s *scene) { s.name(s.exchange(0, 0, 1), "one").Interim = 2 }},
	{"client.first_byte", `exchange("one").client.first_byte == duration("5ms")`, `exchange("one").client.first_byte > duration("5ms")`, two},
	{"client.connection", `exchange("one").client.connection == 1 && !exchange("one").client.reused`, `exchange("one").client.reused`, two},
	{"client flags", `exchange("one").client.close_announced && exchange("one").client.sent_all && exchange("one").client.surplus`, `!exchange("one").client.surplus`, func(s *scene) {
		s.name(s.exchange(0, 0, 1), "one").Flags |= book.CloseAnnounced | book.Surplus
	}},
	{"client.error_code", `exchange("one").client.error_code == "INTERNAL_ERROR"`, `exchange("one").client.error_code == ""`, func(s *scene) {
		s.name(s.exchange(0, 0, 1), "one").Code = 3
	}},
	{"attempts", `attempts("one").exists(a, a.error_type == "timeout" && a.phase == "headers")`, `attempts("one").all(a, a.reason == "" && a.endpoint == "x" && a.resend == 0)`, traced},
	{"attempts.size", `size(attempts("one")) == 2`, `attempts("one").size() == 0`, traced},
	{"backend.requests", `backend.requests == 3 && backend(1).requests == 2 && backend(2).requests == 1`, `backend(2).requests == 0`, seen},
	{"backend.connections", `backend.connections == 3`, `backend(1).connections == 1`, seen},
	{"backend.delivered", `backend.delivered == 3`, `backend(1).delivered == 3`, seen},
	{"backend.max_connections", `backend.max_connections == 2`, `backend.max_connections == 1`, seen},
	{"backend.sightings", `backend.sightings("two") == 2 && backend(2).sightings("two") == 1`, `backend(2).sightings("one") == 1`, seen},
	{"backend.arrivals", `backend.arrivals(duration("1s"), duration("2s")) == 2`, `backend.arrivals(duration("0s"), duration("1s")) == 3`, seen},
	{"backend.max_concurrent", `backend.max_concurrent(duration("0s"), duration("2s")) == 2`, `backend.max_concurrent(duration("0s"), duration("500ms")) == 2`, seen},
	{"backend.requests_on", `backend(1).requests_on(1) == 1 && backend(1).requests_on(9) == 0`, `backend(1).requests_on(1) == 2`, seen},
	{"from and until", `from("outage") == duration("1s") && until("outage") == duration("2s")`, `from("outage") + duration("2s") < until("outage")`, outage},
	{"first_success_after", `first_success_after("outage") == duration("3010ms")`, `first_success_after("outage") < duration("3s")`, outage},
	{"first_success_after without one", `first_success_after("outage") == duration("10s")`, `first_success_after("outage") < duration("10s")`, func(s *scene) {
		s.Case.Windows["outage"] = evidence.Window{From: at(time.Second), Until: at(2 * time.Second)}
		s.exchange(0, 0, 1)
		refused(s.exchange(0, 3*time.Second, 0), 503)
	}},
	{"a fault's window", `from("outage") == duration("1s")`, `until("outage") == duration("1s")`, func(s *scene) {
		two(s)
		s.Case.Faults = []evidence.Fault{{Name: "outage", Window: evidence.Window{From: at(time.Second), Until: at(2 * time.Second)}}}
	}},
	{"setting", `setting("n") == 3 && setting("d") == duration("2s") && setting("f") == 0.5 && setting("b") && setting("s") == 65536 && setting("t") == "x"`, `setting("d") + duration("1s") < duration("3s")`, func(s *scene) {
		two(s)
		s.Case.Settings = map[string]string{"n": "3", "d": "2s", "f": "0.5", "b": "true", "s": "64KiB", "t": "x"}
	}},
	{"span_events", `span_events("breaker.rejected") == 4`, `span_events("retry") > 0`, func(s *scene) { two(s); s.Events["breaker.rejected"] = 4 }},
	{"client.status", `client.status(200) == 2 && client.status(503) == 0`, `client.status(503) > 0`, two},
	{"client.connections", `client.connections == 2`, `client.connections == 1`, two},
	{"client.reused", `client.reused == 1`, `client.reused == 0`, func(s *scene) { s.exchange(0, 0, 1).Flags |= book.Reused }},
	{"mismatches", `mismatches == 1`, `mismatches == 0`, func(s *scene) { two(s); s.Case.Mismatches = []evidence.Mismatch{{Party: "backend 1"}} }},
	{"target.settled", `target.settled(duration("3s")).pool_leased == 0`, `target.settled(duration("1s")).pool_leased == 0`, sampled},
	{"target.settled process", `target.settled(duration("3s")).descriptors == 12 && target.settled(duration("3s")).rss == 1024 && target.settled(duration("3s")).idle == 4`, `target.settled(duration("1s")).descriptors == 12`, sampled},
	{"target.settled metrics", `target.settled(duration("3s")).pool_idle == 4 && target.settled(duration("3s")).pool_waiting == 0 && target.settled(duration("3s")).inflight == 0`, `target.settled(duration("3s")).goroutines < 30`, sampled},
	{"target.baseline", `target.baseline.descriptors == 10`, `target.baseline.descriptors > 10`, sampled},
	{"target.idle_connections", `target.idle_connections == 4`, `target.idle_connections == 0`, sampled},
	{"target.exited_within", `target.exited_within(duration("2s"))`, `target.exited_within(duration("500ms"))`, stopped},
	{"target.replaced", `target.replaced`, `!target.replaced`, func(s *scene) { two(s); s.Case.Target.Replaced = true }},
	{"target.exit_code", `target.exit_code == 0`, `target.exit_code != 0`, stopped},
	{"target.crashed", `!target.crashed`, `target.crashed`, two},
	{"vary", `method == "POST" && count == 3 && cut.name == "head" && cut.deep.n == 1 && sizes[1] == 2`, `method in ["GET"]`, two},
	{"invariants", `invariants`, ``, two},
}

func two(s *scene) {
	s.name(s.exchange(0, 0, 1), "one")
	s.name(s.exchange(0, time.Second, 2), "two")
}

// steady is a load of ten, one a second; the second fails slowly.
func steady(s *scene) {
	for i := range 10 {
		c := s.exchange(1, time.Duration(i)*time.Second, 1)
		if i == 1 {
			refused(c, 503)
			s.Books.Backends[0].Departures[1].Flags &^= book.AnswerBegun | book.AnswerWhole
			c.Ended = c.Started + int64(90*ms)
		}
	}
	s.Case.Loads = []evidence.Load{{Name: "steady", Planned: 10, Sent: 10}}
}

func traced(s *scene) {
	two(s)
	s.Attempts[1] = []expect.Attempt{{ErrorType: "timeout", Phase: "headers", Endpoint: "x"}, {Reason: "retry", Endpoint: "y", Resend: 1}}
}

// seen has one at backend 1 and two at both, overlapping.
func seen(s *scene) {
	s.name(s.exchange(0, 0, 1), "one")
	s.name(s.exchange(0, time.Second, 1), "two")
	s.sighting(2, 2, time.Second+2*ms, time.Second+3*ms)
}

// outage is a window during which one failed; the next, and the one that began
// in time and ended later, were delivered.
func outage(s *scene) {
	s.Case.Windows["outage"] = evidence.Window{From: at(time.Second), Until: at(2 * time.Second)}
	s.exchange(0, 1999*ms, 1)
	refused(s.exchange(0, 2500*ms, 0), 503)
	s.exchange(0, 3*time.Second, 1)
}

func sampled(s *scene) {
	two(s)
	s.Case.Target.Baseline = &evidence.Sample{At: begin, Descriptors: 10}
	s.Case.Target.Samples = []evidence.Sample{
		{At: at(5 * time.Second), Descriptors: 99},
		{At: at(10500 * ms), Descriptors: 20, Metrics: map[string]float64{"pool_leased": 8}},
		{At: at(12 * time.Second), Descriptors: 12, RSS: 1024, Idle: 4, Metrics: map[string]float64{"pool_leased": 0, "pool_idle": 4, "pool_waiting": 0, "inflight": 0, "goroutines": 30}},
	}
}

func stopped(s *scene) {
	two(s)
	s.Case.Target.Drained, s.Case.Target.Exited = at(10*time.Second), at(11*time.Second)
}

func TestEveryFunctionHoldsAndFails(t *testing.T) {
	for _, f := range functions {
		t.Run(f.name, func(t *testing.T) {
			s := newScene()
			f.scene(s)
			got := s.judge(t, expect.Expectation{That: f.holds})
			require.Equal(t, reports.Pass, got.Verdict, "%s: %+v", f.holds, got)
			if f.fails == "" {
				return
			}
			got = s.judge(t, expect.Expectation{That: f.fails})
			want := reports.Fail
			if f.name == "ledger.unverified" {
				want = reports.Invalid // what is not known accuses nobody
			}
			require.Equal(t, want, got.Verdict, "%s: %+v", f.fails, got)
		})
	}
}

// TestEveryWordIsTested holds the table above against the vocabulary.
func TestEveryWordIsTested(t *testing.T) {
	var all string
	for _, f := range functions {
		all += f.holds + "\n" + f.fails + "\n"
	}
	for _, w := range expect.Vocabulary() {
		require.True(t, regexp.MustCompile(`\b`+w.Name+`\b`).MatchString(all), "%s of %s has no case", w.Name, w.Of)
		require.NotEmpty(t, w.Meaning)
	}
}
