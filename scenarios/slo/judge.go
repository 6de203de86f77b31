package slo

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A Result is what came of one bound of an objective.
type Result struct {
	That      string // the bound, as a reader says it
	Held      bool
	Timed     bool     // it bounds a latency
	Untold    bool     // there was nothing to judge by
	Found     string   // what was found
	Exchanges []uint64 // those that broke it, the worst first
}

// Case is what objectives are judged in.
type Case struct {
	Samples []Sample            // of the load
	Faults  []Window            // every fault window, as it truly was
	Named   map[string][]Window // windows by name; none for one that never opened
}

// Judge gives one result for each bound of the objective.
func (o *Objective) Judge(c Case) []Result {
	left := o.counted(c)
	tally := Count(left)
	var results []Result
	for _, q := range o.Latency.sorted() {
		results = append(results, o.latency(q, left))
	}
	if o.Availability != nil {
		results = append(results, o.availability(left, tally))
	}
	for i := range results {
		r := &results[i]
		r.That = o.Over + " " + r.That + o.qualified()
		if tally.Counted == 0 {
			r.Held, r.Untold, r.Found = false, true, "no exchange is left to judge by"
		}
	}
	return results
}

// counted gives the samples the objective speaks of.
func (o *Objective) counted(c Case) []Sample {
	except := slices.Clone(o.Except.Windows)
	if o.Except.Faults {
		except = append(except, c.Faults...)
	}
	for _, name := range o.Except.Names {
		except = append(except, c.Named[name]...)
	}
	var left []Sample
	for _, s := range c.Samples {
		if o.Only == "unpaced" && s.Paced {
			continue
		}
		if !slices.ContainsFunc(except, func(w Window) bool { return w.touches(s) }) {
			left = append(left, s)
		}
	}
	return left
}

func (o *Objective) qualified() string {
	text := ""
	if o.Only != "" {
		text += ", " + o.Only + " only"
	}
	if e := o.Except.String(); e != "" {
		text += ", except " + e
	}
	return text
}

func (o *Objective) latency(q Quantum, samples []Sample) Result {
	share, _ := q.Share()
	bound := o.Latency[q].D()
	sorted := Latencies(samples)
	got := Quantile(sorted, share)
	r := Result{That: fmt.Sprintf("%s ≤ %s", q, bound), Held: got <= bound, Timed: true}
	r.Found = fmt.Sprintf("%s of %d exchanges", got.Round(10*time.Microsecond), len(sorted))
	if !r.Held {
		slow := slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool { return s.Abandoned || s.Took <= bound })
		slices.SortStableFunc(slow, func(a, b Sample) int { return int(b.Took - a.Took) })
		r.Exchanges = seqs(slow)
		r.Found += fmt.Sprintf(", %d over the bound where %d may be", len(slow), len(sorted)-int(math.Ceil(share*float64(len(sorted))-1e-9)))
	}
	return r
}

func (o *Objective) availability(samples []Sample, t Tally) Result {
	// Compared in counts: a quotient of floats may miss its own bound.
	needed := int(math.Ceil(float64(*o.Availability)*float64(t.Counted) - 1e-9))
	r := Result{That: "availability ≥ " + o.Availability.String(), Held: t.Good >= needed}
	r.Found = fmt.Sprintf("%d good of %d", t.Good, t.Counted)
	if !r.Held {
		r.Exchanges = seqs(slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool { return s.Abandoned || s.Good }))
	}
	return r
}

// maxNamed bounds the exchanges a result names.
const maxNamed = 50

func seqs(samples []Sample) []uint64 {
	var out []uint64
	for _, s := range samples[:min(len(samples), maxNamed)] {
		out = append(out, s.Seq)
	}
	return out
}

// Check gives what is wrong with the objective's spelling: bounds it lacks and
// names that are not among the loads and windows.
func (o *Objective) Check(loads, windows []string) []string {
	var wrong []string
	if !slices.Contains(loads, o.Over) {
		wrong = append(wrong, fmt.Sprintf("over %q is no load; allowed: %s", o.Over, orNone(loads)))
	}
	if o.Only != "" && o.Only != "unpaced" {
		wrong = append(wrong, fmt.Sprintf("only %q; allowed: unpaced", o.Only))
	}
	if len(o.Latency) == 0 && o.Availability == nil {
		wrong = append(wrong, "no bound; allowed: latency, availability")
	}
	for _, q := range o.Latency.sorted() {
		if o.Latency[q] <= 0 {
			wrong = append(wrong, fmt.Sprintf("latency %s of %s; allowed: above 0s", q, o.Latency[q]))
		}
	}
	for _, name := range o.Except.Names {
		if !slices.Contains(windows, name) {
			wrong = append(wrong, fmt.Sprintf("except %q is no window; allowed: faults, %s", name, orNone(windows)))
		}
	}
	return wrong
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none is named"
	}
	var text strings.Builder
	for i, n := range slices.Sorted(slices.Values(names)) {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(n)
	}
	return text.String()
}
