// Package gate says go or no-go to a delivery: it holds the report of a run
// against stated limits and lists what people have to have done besides. It
// holds the versioned model written as gate.json; it reads no files.
package gate

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"gauntlet/reports"
)

// Schema names the contract of gate.json. Fields may be added under the same
// name; one that changes its meaning needs a new name.
const Schema = "gauntlet.gate/v1"

// Limits are what must hold before a delivery goes on.
type Limits struct {
	Name     string
	Verdict  reports.Verdict // the worst that is allowed: pass or exposed
	Required []string        // scenarios that must have been checked
	Latency  []Latency
	Errors   *float64  // share of honest failures among all sent; nil: no limit
	Unknown  float64   // share of exchanges that nothing is known of
	Steps    []float64 // of a canary, shares of the traffic, rising
	Step     float64   // the one that was reached; 0: none yet
	Items    []Item
}

// Latency bounds the percentiles of one scenario: p50, p90, p95, p99 or max.
type Latency struct {
	Over  string
	Bound map[string]reports.Millis
}

// Percentiles lists the names that a bound may have.
func Percentiles() []string { return []string{"p50", "p90", "p95", "p99", "max"} }

// An Item is something that people have to have done.
type Item struct {
	What string `json:"what"`
	Done bool   `json:"done"`
	By   string `json:"by,omitempty"`
}

// A Decision is what the gate says.
type Decision struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Go     bool   `json:"go"`
	// Verdict is pass for go, fail when a limit does not hold or an item is not
	// done, and invalid when neither is so but something could not be told.
	Verdict reports.Verdict `json:"verdict"`
	Target  reports.Target  `json:"target"`
	Run     string          `json:"run,omitempty"` // the command that repeats it
	Checks  []Check         `json:"checks"`
	Items   []Item          `json:"checklist"`
	Step    float64         `json:"step,omitempty"`
	Next    float64         `json:"next_step,omitempty"` // share of the traffic that may follow; 0 on no-go or after the last
}

// A Check is one limit and what came of it: pass, fail or invalid.
type Check struct {
	That    string          `json:"that"`
	Found   string          `json:"found"`
	Verdict reports.Verdict `json:"verdict"`
}

// Decide holds a report against limits.
func Decide(l Limits, r *reports.Report) *Decision {
	d := &Decision{Schema: Schema, Name: l.Name, Target: r.Target, Run: r.Command, Items: l.Items, Step: l.Step, Checks: []Check{}}
	if d.Items == nil {
		d.Items = []Item{}
	}
	d.verdict(l.Verdict, r.Verdict)
	d.shares(l, r.Ledger)
	for _, id := range l.Required {
		d.required(id, r)
	}
	for _, bound := range l.Latency {
		d.latency(bound, r)
	}
	verdicts := []reports.Verdict{reports.Pass}
	for _, c := range d.Checks {
		verdicts = append(verdicts, c.Verdict)
	}
	for _, i := range d.Items {
		if !i.Done {
			verdicts = append(verdicts, reports.Fail)
		}
	}
	d.Verdict = reports.Merge(verdicts...)
	if d.Go = d.Verdict == reports.Pass; d.Go {
		d.Next = next(l)
	}
	return d
}

// next is the canary's step after the one reached.
func next(l Limits) float64 {
	for _, s := range l.Steps {
		if s > l.Step {
			return s
		}
	}
	return 0
}

func (d *Decision) check(that, found string, holds bool) {
	c := Check{That: that, Found: found, Verdict: reports.Fail}
	if holds {
		c.Verdict = reports.Pass
	}
	d.Checks = append(d.Checks, c)
}

func (d *Decision) untold(that, why string) {
	d.Checks = append(d.Checks, Check{That: that, Found: "cannot be told: " + why, Verdict: reports.Invalid})
}

func (d *Decision) verdict(worst, is reports.Verdict) {
	that := fmt.Sprintf("the run's verdict is %s or better", worst)
	if is == reports.Invalid {
		d.untold(that, "the run is invalid")
		return
	}
	d.check(that, string(is), is.Good(worst == reports.Pass))
}

func (d *Decision) shares(l Limits, sum reports.Ledger) {
	if sum.Sent == 0 {
		d.untold("nothing is damaged", "nothing was sent")
		return
	}
	share := func(n int) float64 { return float64(n) / float64(sum.Sent) }
	d.check("nothing is damaged", fmt.Sprintf("%d of %d", sum.Damaged(), sum.Sent), sum.Damaged() == 0)
	d.check(fmt.Sprintf("unknown ≤ %.4g %%", 100*l.Unknown), fmt.Sprintf("%.4g %%, %d of %d", 100*share(sum.Unknown()), sum.Unknown(), sum.Sent), share(sum.Unknown()) <= l.Unknown)
	if l.Errors != nil {
		d.check(fmt.Sprintf("errors ≤ %.4g %%", 100**l.Errors), fmt.Sprintf("%.4g %%, %d of %d", 100*share(sum.Failed()), sum.Failed(), sum.Sent), share(sum.Failed()) <= *l.Errors)
	}
}

func find(id string, r *reports.Report) (reports.Scenario, bool) {
	i := slices.IndexFunc(r.Scenarios, func(s reports.Scenario) bool { return s.ID == id })
	if i < 0 {
		return reports.Scenario{}, false
	}
	return r.Scenarios[i], true
}

func (d *Decision) required(id string, r *reports.Report) {
	that := id + " was checked"
	s, there := find(id, r)
	switch {
	case !there:
		d.untold(that, "it is not in the report")
	case s.Verdict == reports.Invalid || s.Verdict == reports.Unsupported:
		d.untold(that, "it is "+string(s.Verdict))
	default:
		d.check(that, string(s.Verdict), true)
	}
}

func (d *Decision) latency(l Latency, r *reports.Report) {
	s, there := find(l.Over, r)
	for _, name := range Percentiles() {
		bound, bounded := l.Bound[name]
		if !bounded {
			continue
		}
		that := fmt.Sprintf("%s: %s ≤ %g ms", l.Over, name, float64(bound))
		switch {
		case !there:
			d.untold(that, "the scenario is not in the report")
		case s.Verdict == reports.Invalid || s.Verdict == reports.Unsupported:
			d.untold(that, "the scenario is "+string(s.Verdict))
		case s.Latency == nil || s.Latency.Count == 0:
			d.untold(that, "it has no latency")
		default:
			is := map[string]reports.Millis{"p50": s.Latency.P50, "p90": s.Latency.P90, "p95": s.Latency.P95, "p99": s.Latency.P99, "max": s.Latency.Max}[name]
			d.check(that, fmt.Sprintf("%.6g ms of %d exchanges", float64(is), s.Latency.Count), is <= bound)
		}
	}
}

// Encode writes the decision as gate.json.
func Encode(w io.Writer, d *Decision) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
