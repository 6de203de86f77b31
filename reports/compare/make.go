package compare

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"gauntlet/reports"
)

// Options say what counts as a regression.
type Options struct {
	Margin     float64        // share of A's figure that is no regression yet, 0.1 for a tenth
	Floor      reports.Millis // nor is a difference of latency up to this one
	Confidence float64        // that no interval of them all misses its figure, such as 0.95
	Seed       uint64         // of what is drawn
	Strict     bool           // a verdict that becomes exposed is a regression, too
}

// A Run is what is known of one run.
type Run struct {
	Side
	Report *reports.Report
	Cases  map[Key]Case // of the cases whose exchanges are at hand
}

// A Key names a case.
type Key struct{ Scenario, Case string }

// A Case is what became of the exchanges of a case.
type Case struct {
	Source      string     // the scenario as it was run: figures of two that differ are not compared
	Repetitions [][]Sample // each by the planned start
	Offered     bool       // a load planned them: their rate is a figure, too
	// Busy says that others used the machine, so that nobody can tell whose a
	// delay was.
	Busy bool
}

// A Sample is one exchange.
type Sample struct {
	At      float64 // planned start, in milliseconds from the case's begin
	Took    float64 // milliseconds from there to its end
	Failed  bool    // honestly
	Damaged bool    // surely; one that nothing is known of is neither
	Left    bool    // the client left on purpose: it has no latency
}

// Make compares B with A.
func Make(a, b Run, o Options) *Comparison {
	c := &Comparison{
		Schema: Schema, A: a.Side, B: b.Side, Margin: o.Margin, Floor: o.Floor, Confidence: o.Confidence,
		Counts: map[Word]int{}, Rows: []Row{},
	}
	casesA, casesB := casesOf(a.Report), casesOf(b.Report)
	m := &maker{Options: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), elsewhere: elsewhere(a.Report.Environment, b.Report.Environment)}
	for _, key := range slices.SortedFunc(maps.Keys(casesA), byKey) {
		if _, both := casesB[key]; !both {
			c.OnlyA = append(c.OnlyA, key.String())
			continue
		}
		row := Row{Scenario: key.Scenario, Case: key.Case, A: casesA[key].Verdict, B: casesB[key].Verdict}
		row.Word = m.verdict(row.A, row.B)
		c.Rows = append(c.Rows, row)
		m.figures(len(c.Rows)-1, pair{key: key, a: casesA[key], b: casesB[key], runA: a, runB: b})
	}
	for _, key := range slices.SortedFunc(maps.Keys(casesB), byKey) {
		if _, both := casesA[key]; !both {
			c.OnlyB = append(c.OnlyB, key.String())
		}
	}
	m.settle(c)
	if m.elsewhere != "" {
		c.Notes = append(c.Notes, "The runs took place on different machines ("+m.elsewhere+"): latencies and rates are shown and not compared.")
	}
	if m.single {
		c.Notes = append(c.Notes, "A case that ran less than three times shows what varied within the run, and not what varies from run to run: repeat it (--repeat 5) to be surer.")
	}
	return c
}

func (k Key) String() string {
	if k.Case == "" {
		return k.Scenario
	}
	return k.Scenario + " [" + k.Case + "]"
}

func byKey(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Case, b.Case))
}

func casesOf(r *reports.Report) map[Key]reports.Case {
	all := map[Key]reports.Case{}
	for _, s := range r.Scenarios {
		for _, c := range s.Cases {
			all[Key{s.ID, c.Name}] = c
		}
	}
	return all
}

// elsewhere says in what two machines differ, as far as it bears on speed.
func elsewhere(a, b reports.Environment) string {
	if a.OS == b.OS && a.Arch == b.Arch && a.CPUs == b.CPUs {
		return ""
	}
	return fmt.Sprintf("%s/%s with %d CPUs, %s/%s with %d", a.OS, a.Arch, a.CPUs, b.OS, b.Arch, b.CPUs)
}

// verdict compares two verdicts. A failed must is a fact of its run, so no
// margin applies. Where one of them could not tell there is nothing to compare.
func (m *maker) verdict(a, b reports.Verdict) Word {
	told := func(v reports.Verdict) bool { return v != reports.Invalid && v != reports.Unsupported }
	rank := func(v reports.Verdict) int {
		if v == reports.Exposed && !m.Strict {
			v = reports.Pass
		}
		return v.Rank()
	}
	switch {
	case !told(a) || !told(b):
		return Untold
	case rank(b) < rank(a):
		return Worse
	case rank(b) > rank(a):
		return Better
	}
	return Same
}
