package engine

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/reports"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
	"gauntlet/scenarios/slo"
	"gauntlet/scenarios/targets"
)

// maxShown bounds the exchanges a report shows with their time line.
const maxShown = 25

// describe adds to the report what the ledger of one case says, and returns
// the latencies of its exchanges from their intended start.
func (j *judge) describe(out *reports.Case, scenario *reports.Scenario, name string, e *judged, ref evidence.CaseRef) ([]time.Duration, error) {
	l, facts := e.facts.Ledger, e.facts.Case
	out.Ledger = out.Ledger.Plus(counts(l))
	out.Outside = out.Outside.Plus(reports.Outside{Phantom: l.Phantom(), Unsent: unsent(facts), Anonymous: l.Anonymous(), Avoidable: l.Avoidable()})
	var took []time.Duration
	for x := range l.All() {
		if x.Outcome == ledger.Rejected || x.Outcome == ledger.Indeterminate {
			out.FailedAs[failedAs(x.Client)]++
		}
		if begin := max(x.Client.Intended, 0); x.Outcome != ledger.Abandoned {
			if begin == 0 {
				begin = x.Client.Started
			}
			took = append(took, time.Duration(x.Client.Ended-begin))
		}
	}
	err := j.exchanges(out, e)
	out.Series = append(out.Series, series(e)...)
	scenario.Faults = append(scenario.Faults, faults(e, name)...)
	if facts.Target.Crashed {
		out.Log = lastLines(filepath.Join(j.dir.Target(ref), targets.Output), 10)
	}
	return took, err
}

func counts(l *ledger.Ledger) reports.Ledger {
	return reports.Ledger{
		Sent: l.Sent(), Crosswired: l.Count(ledger.Crosswired), Corrupted: l.Count(ledger.Corrupted), Duplicated: l.Count(ledger.Duplicated),
		Truncated: l.Count(ledger.Truncated), Stuck: l.Count(ledger.Stuck), Abandoned: l.Count(ledger.Abandoned), Unverified: l.Count(ledger.Unverified),
		Delivered: l.Count(ledger.Delivered), Rejected: l.Count(ledger.Rejected), Indeterminate: l.Count(ledger.Indeterminate), Lost: l.Count(ledger.Lost),
	}
}

func unsent(c *evidence.Case) int {
	n := 0
	for _, l := range c.Loads {
		n += int(l.Planned) - int(l.Sent)
	}
	return max(0, n)
}

func failedAs(c *book.Client) string {
	if c.End.Clean() && c.Status != 0 {
		return strconv.Itoa(int(c.Status))
	}
	return c.End.String()
}

// exchanges shows the damaged exchanges and those that findings name.
func (j *judge) exchanges(out *reports.Case, e *judged) error {
	l, facts := e.facts.Ledger, e.facts.Case
	var seqs []uint64
	for x := range l.All() {
		if x.Outcome.Damaged() || x.Outcome == ledger.Unverified {
			seqs = append(seqs, x.Seq)
		}
	}
	for _, f := range e.findings {
		if f.Verdict != reports.Pass && f.Verdict != reports.Unsupported {
			seqs = append(seqs, f.Exchanges...)
		}
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	out.Omitted += max(0, len(seqs)-maxShown)
	seqs = seqs[:min(len(seqs), max(0, maxShown-len(out.Exchanges)))]
	if len(seqs) == 0 {
		return nil
	}
	moments, err := lines(j.dir, facts, l, seqs)
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		if x, ok := l.Exchange(seq); ok {
			out.Exchanges = append(out.Exchanges, show(facts, x, moments[seq]))
		}
	}
	return nil
}

func show(facts *evidence.Case, x ledger.Exchange, moments []ledger.Moment) reports.Exchange {
	id := exchange.ID{Run: facts.Run, Seq: x.Seq}
	trace := id.TraceID()
	out := reports.Exchange{
		ID: id.String(), Outcome: x.Outcome.String(), Why: x.Why, Request: x.Client.Method.String(),
		Status: int(x.Client.Status), Trace: hex.EncodeToString(trace[:]),
	}
	for name, seq := range facts.Names {
		if seq == x.Seq {
			out.Name = name
		}
	}
	for _, m := range moments {
		out.Moments = append(out.Moments, reports.Moment{At: reports.MillisOf(time.Duration(m.Time - x.Client.Started)), Party: m.Party, What: m.What})
	}
	return out
}

// faults says of each window when it was open and what it touched.
func faults(e *judged, name string) []reports.Fault {
	var out []reports.Fault
	c := e.facts.Case
	at := func(t int64) reports.Seconds {
		if t == 0 {
			return 0
		}
		return reports.Seconds(float64(t-c.Begin) / 1e9)
	}
	for i, f := range c.Faults {
		receipts, changed := 0, 0
		if e.facts.Books.Faults != nil {
			for _, r := range e.facts.Books.Faults.Receipts {
				if int(r.Window) == i+1 {
					receipts++
				}
			}
			for _, w := range e.facts.Books.Faults.Altered {
				if int(w.Window) == i+1 {
					changed++
				}
			}
		}
		out = append(out, reports.Fault{Case: name, Window: f.Name, Link: f.Link, Fault: f.Fault, From: at(f.From), Until: at(f.Until), Receipts: receipts, Exchanges: changed})
	}
	for _, window := range sortedKeys(c.Windows) {
		w := c.Windows[window]
		out = append(out, reports.Fault{Case: name, Window: window, From: at(w.From), Until: at(w.Until)})
	}
	return out
}

// steps is into how many points a series is cut.
const steps = 60

// series shows each load over time.
func series(e *judged) []reports.Series {
	var out []reports.Series
	c := e.facts.Case
	for g, group := range c.Groups {
		if !group.Load {
			continue
		}
		var clients []*book.Client
		for i := range e.facts.Books.Client.Clients {
			if r := &e.facts.Books.Client.Clients[i]; int(r.Group) == g {
				clients = append(clients, r)
			}
		}
		if len(clients) == 0 {
			continue
		}
		slices.SortFunc(clients, func(a, b *book.Client) int { return int(a.Intended - b.Intended) })
		first, last := clients[0].Intended, clients[len(clients)-1].Intended
		step := max((last-first)/steps+1, int64(50*time.Millisecond))
		s := reports.Series{Name: group.Name, From: reports.Seconds(float64(first-c.Begin) / 1e9), Step: reports.Seconds(float64(step) / 1e9)}
		for i := 0; i < len(clients); {
			end := first + int64(len(s.Points)+1)*step
			n := i
			for n < len(clients) && clients[n].Intended < end {
				n++
			}
			s.Points = append(s.Points, point(e.facts.Ledger, clients[i:n]))
			i = n
		}
		out = append(out, s)
	}
	return out
}

func point(l *ledger.Ledger, clients []*book.Client) reports.Point {
	p := reports.Point{Sent: len(clients)}
	var took []time.Duration
	for _, c := range clients {
		switch o := l.Outcome(c.Seq); {
		case o.Damaged(), o == ledger.Unverified:
			p.Damaged++
		case o == ledger.Rejected, o == ledger.Indeterminate:
			p.Failed++
		}
		took = append(took, time.Duration(c.Ended-c.Intended))
	}
	if sum := latency(took); sum != nil {
		p.P50, p.P99, p.Max = sum.P50, sum.P99, sum.Max
	}
	return p
}

// latency sums up; nil of nothing.
func latency(took []time.Duration) *reports.LatencyMS {
	if len(took) == 0 {
		return nil
	}
	slices.Sort(took)
	at := func(q float64) reports.Millis { return reports.MillisOf(slo.Quantile(took, q)) }
	return &reports.LatencyMS{Count: len(took), P50: at(0.5), P90: at(0.9), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

// lastLines gives the end of a log; what cannot be read says so.
func lastLines(path string, n int) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return []string{fmt.Sprintf("its log cannot be read: %v", err)}
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[max(0, len(lines)-n):]
}
