package compare

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gauntlet/reports"
	"gauntlet/reports/interval"
)

// A maker gathers the figures of every case first: how wide each interval must
// be depends on how many there are.
type maker struct {
	Options
	rng       *rand.Rand
	elsewhere string
	single    bool
	found     []found
}

// found is a figure of a row, and the estimate of its difference if there is one.
type found struct {
	row int
	Figure
	allowed float64 // difference that is no regression yet
	more    bool    // more of it is better
	by      *interval.Estimate
}

// A pair is a case in both runs.
type pair struct {
	key        Key
	a, b       reports.Case
	runA, runB Run
}

// quantiles of latency that are compared.
func quantiles() ([]float64, []string) {
	return []float64{0.5, 0.9, 0.99}, []string{"p50", "p90", "p99"}
}

// figures gathers the figures of one case.
func (m *maker) figures(row int, p pair) {
	a, haveA := p.runA.Cases[p.key]
	b, haveB := p.runB.Cases[p.key]
	why, slow := "", m.elsewhere
	switch {
	case !haveA || !haveB:
		why = "only the summary is at hand, not the exchanges"
	case a.Source != b.Source:
		why = "the scenario is not the same in both runs"
	case p.a.Verdict == reports.Invalid || p.b.Verdict == reports.Invalid:
		why = "the case is invalid in one of the runs"
	case a.Busy || b.Busy:
		slow = "others used the machine"
	}
	if why != "" {
		m.summaries(row, p, why)
		return
	}
	m.single = m.single || len(a.Repetitions) < 3 || len(b.Repetitions) < 3
	m.latencies(row, a, b, slow)
	for _, share := range []struct {
		name string
		of   func(Sample) bool
	}{{"failed", func(s Sample) bool { return s.Failed }}, {"damaged", func(s Sample) bool { return s.Damaged }}} {
		m.share(row, share.name, a, b, share.of)
	}
	if a.Offered && b.Offered {
		m.rate(row, a, b, slow)
	}
}

func (m *maker) latencies(row int, a, b Case, slow string) {
	of, names := quantiles()
	ofA, ofB := a.runs(took).Quantiles(of, m.rng), b.runs(took).Quantiles(of, m.rng)
	for i, name := range names {
		f := found{row: row, Figure: Figure{Name: name, Unit: "ms", A: ofA[i].Value, B: ofB[i].Value}}
		f.allowed = max(m.Margin*f.A, float64(m.Floor))
		few := ofA[i].Freedom == 0 || ofB[i].Freedom == 0
		m.add(f, ofA[i], ofB[i], slow, few, fmt.Sprintf("%d and %d exchanges are too few", a.runs(took).Count(), b.runs(took).Count()))
	}
}

func (m *maker) share(row int, name string, a, b Case, of func(Sample) bool) {
	ofA, okA := a.runs(indicator(of)).Share()
	ofB, okB := b.runs(indicator(of)).Share()
	f := found{row: row, Figure: Figure{Name: name, Unit: "share", A: ofA.Value, B: ofB.Value}, allowed: m.Margin * ofA.Value}
	if !okA || !okB {
		f.A, f.B = mean(a.runs(indicator(of))), mean(b.runs(indicator(of)))
	}
	m.add(f, ofA, ofB, "", !okA || !okB, "there are too few exchanges")
}

// rate compares how many exchanges a second did not fail. One that nothing is
// known of is held against nobody.
func (m *maker) rate(row int, a, b Case, slow string) {
	good := indicator(func(s Sample) bool { return !s.Failed && !s.Damaged })
	ofA, okA := a.runs(good).Share()
	ofB, okB := b.runs(good).Share()
	perA, perB := a.perSecond(), b.perSecond()
	for _, scaled := range []struct {
		e   *interval.Estimate
		per float64
	}{{&ofA, perA}, {&ofB, perB}} {
		scaled.e.Value *= scaled.per
		scaled.e.Error *= scaled.per
	}
	f := found{row: row, Figure: Figure{Name: "rate", Unit: "/s", A: ofA.Value, B: ofB.Value}, allowed: m.Margin * ofA.Value, more: true}
	m.add(f, ofA, ofB, slow, !okA || !okB, "there are too few exchanges")
}

func (m *maker) add(f found, a, b interval.Estimate, slow string, few bool, tooFew string) {
	switch {
	case slow != "":
		f.Word, f.Why = Untold, slow
	case few:
		f.Word, f.Why = Untold, tooFew
	default:
		d := b.Minus(a)
		f.by = &d
	}
	m.found = append(m.found, f)
}

// summaries shows what the reports say of a case without claiming anything.
func (m *maker) summaries(row int, p pair, why string) {
	add := func(name, unit string, a, b float64) {
		m.found = append(m.found, found{row: row, Figure: Figure{Name: name, Unit: unit, A: a, B: b, Word: Untold, Why: why}})
	}
	if a, b := p.a.Latency, p.b.Latency; a != nil && b != nil {
		add("p50", "ms", float64(a.P50), float64(b.P50))
		add("p90", "ms", float64(a.P90), float64(b.P90))
		add("p99", "ms", float64(a.P99), float64(b.P99))
	}
	share := func(n int, l reports.Ledger) float64 { return float64(n) / math.Max(1, float64(l.Sent)) }
	add("failed", "share", share(p.a.Ledger.Failed(), p.a.Ledger), share(p.b.Ledger.Failed(), p.b.Ledger))
	add("damaged", "share", share(p.a.Ledger.Damaged(), p.a.Ledger), share(p.b.Ledger.Damaged(), p.b.Ledger))
}
