package render_test

import (
	"fmt"
	"math"
	"time"

	"gauntlet/reports"
)

// sample is a report of everything a report can show.
func sample() *reports.Report {
	r := &reports.Report{
		Target:   reports.Target{Name: "edge", Kind: "file", Version: "1.4.2", ConfigSHA256: "9f2c4e0b77aa1d3358c6d1f0a4be9c2277d05f31e6a84b10c9d2e7f8a1b2c3d4"},
		Evidence: "client + backend",
		Seed:     42,
		Started:  time.Date(2026, 11, 20, 9, 30, 5, 0, time.UTC),
		Seconds:  74.31,
		Command:  "gauntlet run --target edge.yaml --seed 42",
		Scenarios: []reports.Scenario{
			mixedTraffic(), closeOnFirstByte(), breakerHeals(), headersTimeout(), missingLastChunk(),
			plain("pool/leak-on-cancel", "Does a client that leaves give its connection back?", 640, 3.4),
			plain("keepalive/idle-close", "Is a request lost when the backend closes an idle connection?", 24, 0.8),
			plain("chunked-framing/trailers", "Do trailers arrive?", 12, 0.3),
			lacking("pool/queue-overflow", "Is a request refused in time when the queue is full?", "setting upstream.pool.max_connections"),
			lacking("pool/fifo", "Is the wait for a connection fair?", "setting upstream.pool.max_connections"),
			lacking("timeouts/budget", "Do retries spend one deadline?", "setting upstream.timeouts.total"),
		},
		Accepted: []reports.Accepted{
			{Scenario: "chunked-framing/missing-last-chunk", Because: "EDGE-12", Until: "2027-01-31"},
			{Scenario: "keepalive/idle-close", Because: "EDGE-3"},
		},
		Notes:       []string{"./gauntlet.yaml was found and is the target"},
		Environment: reports.Environment{Gauntlet: "v0.1.0", Go: "go1.26.8", OS: "linux", Arch: "amd64", Kernel: "6.1.0", CPUs: 2, Backends: "embedded"},
	}
	r.Settle()
	return r
}

func mixedTraffic() reports.Scenario {
	s := reports.Scenario{
		ID: "general/mixed-traffic", Level: "must", Tags: []string{"smoke"}, Refs: []string{"RFC 9110 §9.2.2", "RFC 9112"},
		Question: "Does anything at all go wrong with ordinary, varied traffic while links misbehave?",
		Seconds:  31.2,
		Findings: []reports.Finding{
			{That: "invariants", Verdict: reports.Fail, Because: "I1: a request that is not idempotent runs at most once", Detail: "I1 is broken by 3 exchanges", Values: []reports.Value{{Of: "ledger.duplicated", Is: "3"}}, Exchanges: []string{"4711", "5200", "5318"}},
			{That: "ledger.lost == 0", Verdict: reports.Fail, Values: []reports.Value{{Of: "ledger.lost", Is: "9"}}, Exchanges: []string{"4802"}, Omitted: 8},
			{That: "availability of mix >= 100 %", Verdict: reports.Pass},
			{That: "every window fired", Verdict: reports.Pass},
			{That: `span_events("retry") == ledger.recovered`, Verdict: reports.Unsupported, Missing: []string{"traces"}},
		},
		Faults: []reports.Fault{
			{Link: "backend-2", Fault: "latency(30ms±20ms)", From: 8, Until: 12, Receipts: 14, Exchanges: 402},
			{Link: "backend-3", Fault: "reset(after 1KiB…200KiB)", From: 11, Until: 16, Receipts: 37, Exchanges: 55},
			{Link: "backend-1", Fault: "refuse", From: 20, Until: 22, Receipts: 212},
		},
		Failure: "A duplicated POST means that the proxy sent it again after the backend had read it whole.\nLook for a retry policy that does not ask for the method.",
		Mend:    map[string]string{"nginx": "leave out non_idempotent in proxy_next_upstream", "haproxy": "no option redispatch for POST; retry-on conn-failure only"},
		Repeat:  "gauntlet run general/mixed-traffic --target edge.yaml --seed 42",
		Cases: []reports.Case{{
			Seconds:   31.2,
			Ledger:    reports.Ledger{Sent: 9000, Delivered: 8411, Abandoned: 177, Rejected: 380, Indeterminate: 20, Lost: 9, Duplicated: 3},
			FailedAs:  map[string]int{"502": 391, "504": 6, "reset": 3},
			Outside:   reports.Outside{Avoidable: 380, Anonymous: 6},
			Latency:   &reports.LatencyMS{Count: 8823, P50: 1.4, P90: 4.2, P95: 38, P99: 71, Max: 1034},
			Series:    []reports.Series{series()},
			Exchanges: []reports.Exchange{duplicated(), lost()},
			Omitted:   10,
			Log:       []string{"level=warn msg=\"upstream reset\" endpoint=127.0.0.1:9003", "\x1b[31mpanic\x1b[0m: <script>alert(1)</script>"},
			Evidence:  "cases/general/mixed-traffic/default",
		}},
	}
	return s
}

func series() reports.Series {
	s := reports.Series{Name: "mix", Step: 0.5}
	for i := range 60 {
		sec := float64(i) / 2
		p := reports.Point{Sent: 150, P50: reports.Millis(1.2 + 0.3*math.Sin(sec)), P99: reports.Millis(4 + 2*math.Cos(sec*2))}
		switch {
		case sec >= 8 && sec < 12:
			p.P50, p.P99 = 2+p.P50, 48+p.P99
		case sec >= 12 && sec < 16:
			p.Failed, p.Damaged = i%3, i%2
		case sec >= 20 && sec < 22:
			p.Failed, p.P99 = 96, 1004
		case sec == 27:
			p = reports.Point{}
		}
		p.Max = p.P99 * 1.03
		s.Points = append(s.Points, p)
	}
	return s
}

func duplicated() reports.Exchange {
	return reports.Exchange{
		ID: "4711", Outcome: "duplicated", Why: "POST is not idempotent, and two backends read it whole", Request: "POST /orders", Status: 200,
		Trace: "4bf92f3577b34da6a3ce929d0e0e4736", Repeat: "gauntlet trace runs/latest 4711",
		Moments: []reports.Moment{
			{At: 0, Party: "client", What: "sent POST /orders, 4,096 bytes"},
			{At: 0.21, For: 3.1, Party: "target", What: "attempt 1 on backend-3, reused connection 12"},
			{At: 0.35, Party: "backend-3", What: "request 7 on connection 12: head"},
			{At: 0.6, Party: "backend-3", What: "request whole, 4,096 bytes"},
			{At: 3.2, Party: "fault", What: "reset on backend-3, connection 12"},
			{At: 3.31, For: 1.2, Party: "target", What: "attempt 2 on backend-1, new connection 41"},
			{At: 3.9, Party: "backend-1", What: "request whole a second time, 4,096 bytes", Wrong: true},
			{At: 4.4, Party: "backend-1", What: "answered 200, 64 bytes"},
			{At: 4.6, Party: "client", What: "200, 64 bytes, ended clean"},
		},
	}
}

func lost() reports.Exchange {
	return reports.Exchange{
		ID: "4802", Name: "second", Outcome: "lost", Why: "an answer that had reached the proxy did not reach the client", Request: "GET /a?b=<c>",
		Moments: []reports.Moment{
			{At: 0, Party: "client", What: "sent GET /a?b=<c>"},
			{At: 0.4, Party: "backend-2", What: "answered 200, 128 bytes, whole"},
			{At: 5000, Party: "client", What: "connection reset, no byte of an answer", Wrong: true},
		},
		Repeat: "gauntlet trace runs/latest 4802",
	}
}

func closeOnFirstByte() reports.Scenario {
	s := reports.Scenario{
		ID: "keepalive/close-on-first-byte", Level: "must", Tags: []string{"smoke"},
		Question: "Is a request lost when the backend closes a reused connection as the proxy writes to it?",
		Refs:     []string{"RFC 9110 §9.2.2", "golang/go#22158", "envoyproxy/envoy#14981"}, Seconds: 1.9,
		Repeat: "gauntlet run keepalive/close-on-first-byte --target edge.yaml --seed 42",
	}
	for _, m := range []string{"GET", "PUT", "DELETE", "POST"} {
		name := "method=" + m
		c := reports.Case{Name: name, Seconds: 0.4, Ledger: reports.Ledger{Sent: 2, Delivered: 2}, Evidence: "cases/keepalive/close-on-first-byte/" + name}
		f := reports.Finding{
			Case: name, That: `exchange("second").outcome == "delivered" || method in ["POST"]`, Verdict: reports.Pass,
			Because: "an idempotent request is recovered on a fresh connection",
		}
		switch m {
		case "PUT", "DELETE":
			c.Ledger, c.FailedAs, c.Outside.Avoidable = reports.Ledger{Sent: 2, Delivered: 1, Indeterminate: 1}, map[string]int{"502": 1}, 1
			c.Repeat = "gauntlet run keepalive/close-on-first-byte --target edge.yaml --seed 42 --case " + name
			f.Verdict, f.Exchanges = reports.Fail, []string{"2"}
			f.Values = []reports.Value{{Of: `exchange("second").outcome`, Is: `"indeterminate"`}, {Of: "method", Is: `one of "PUT", "DELETE"`}}
		case "POST":
			c.Ledger, c.FailedAs = reports.Ledger{Sent: 2, Delivered: 1, Indeterminate: 1}, map[string]int{"502": 1}
		}
		s.Cases = append(s.Cases, c)
		s.Findings = append(s.Findings, f, reports.Finding{Case: name, That: "ledger.damaged == 0", Verdict: reports.Pass})
	}
	return s
}

func breakerHeals() reports.Scenario {
	return reports.Scenario{
		ID: "breaker/opens-and-heals", Level: "should", Question: "Does the breaker open while the backend fails, shield it, and heal without a stampede?", Seconds: 12.2,
		Findings: []reports.Finding{
			{
				That: `backend.max_concurrent(until("outage"), first_success_after("outage")) <= 3`, Verdict: reports.Exposed, Because: "half-open lets in three, not everyone",
				Values: []reports.Value{{Of: `backend.max_concurrent(until("outage"), first_success_after("outage"))`, Is: "7"}},
			},
			{That: "ledger.damaged == 0", Verdict: reports.Pass},
		},
		Faults: []reports.Fault{{Window: "outage", From: 3, Until: 6}},
		Repeat: "gauntlet run breaker/opens-and-heals --target edge.yaml --seed 42",
		Cases: []reports.Case{{
			Seconds: 12.2, Ledger: reports.Ledger{Sent: 3600, Delivered: 3600},
			Latency: &reports.LatencyMS{Count: 3600, P50: 6.1, P90: 7, P95: 7.4, P99: 9.8, Max: 22},
		}},
	}
}

func headersTimeout() reports.Scenario {
	return reports.Scenario{
		ID: "timeouts/headers", Level: "must", Question: "Is a backend that never answers given up in time?", Seconds: 2.1,
		Findings: []reports.Finding{
			{That: "every window fired", Verdict: reports.Invalid, Detail: "blackhole(data) on backend-1 touched no connection"},
			{That: "client.status(504) == 5", Verdict: reports.Pass},
		},
		Faults: []reports.Fault{{Link: "backend-1", Fault: "blackhole(data)", From: 0.5}},
		Repeat: "gauntlet run timeouts/headers --target edge.yaml --seed 42",
		Cases:  []reports.Case{{Seconds: 2.1, Ledger: reports.Ledger{Sent: 5, Unverified: 5}}},
	}
}

func missingLastChunk() reports.Scenario {
	return reports.Scenario{
		ID: "chunked-framing/missing-last-chunk", Level: "must", Question: "Does the client learn that a chunked answer was cut?", Seconds: 0.4, Accepted: "EDGE-12",
		Findings: []reports.Finding{{That: "ledger.truncated == 0", Verdict: reports.Fail, Values: []reports.Value{{Of: "ledger.truncated", Is: "1"}}, Exchanges: []string{"1"}}},
		Cases:    []reports.Case{{Seconds: 0.4, Ledger: reports.Ledger{Sent: 1, Truncated: 1}}},
	}
}

func plain(id, question string, sent int, sec reports.Seconds) reports.Scenario {
	return reports.Scenario{
		ID: id, Question: question, Level: "must", Seconds: sec,
		Findings: []reports.Finding{{That: "ledger.damaged == 0", Verdict: reports.Pass}},
		Cases: []reports.Case{{
			Seconds: sec, Ledger: reports.Ledger{Sent: sent, Delivered: sent},
			Latency: &reports.LatencyMS{Count: sent, P50: 0.84, P90: 1.2, P95: 1.9, P99: 3.1, Max: 9.7},
		}},
	}
}

func lacking(id, question, what string) reports.Scenario {
	return reports.Scenario{ID: id, Question: question, Level: "must", Unsupported: []string{what}}
}

// vast is a report in which everything there can be many of is many.
func vast() *reports.Report {
	r := sample()
	for i := range 60 {
		s := closeOnFirstByte()
		s.ID = fmt.Sprintf("family-%d/%s", i%7, fmt.Sprintf("scenario-%d-with-a-long-name-that-goes-on", i))
		r.Scenarios = append(r.Scenarios, s)
		r.Accepted = append(r.Accepted, reports.Accepted{Scenario: s.ID, Because: "a\nreason\nof\nlines"})
	}
	r.Settle()
	return r
}
