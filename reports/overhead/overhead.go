// Package overhead says what a proxy adds to the requests that go through it:
// differences of latency percentiles and CPU time a request between a way
// through it and a direct one, over pairs of loads, with intervals. It holds the
// versioned model written as overhead.json; it measures nothing.
package overhead

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"gauntlet/reports"
	"gauntlet/reports/interval"
)

// Schema names the contract of overhead.json. Fields may be added under the same
// name; one that changes its meaning needs a new name.
const Schema = "gauntlet.overhead/v1"

// A Report is what a proxy adds.
type Report struct {
	Schema string `json:"schema"`
	// Verdict is invalid when the load was not offered or requests failed, or
	// when there are too few pairs, and pass otherwise: what is added is a figure
	// and no failure.
	Verdict    reports.Verdict `json:"verdict"`
	Target     reports.Target  `json:"target"`
	Load       string          `json:"load"`            // in words
	Delay      reports.Millis  `json:"delay_ms"`        // put in the way on purpose
	Confidence float64         `json:"confidence"`      // that no interval of them all misses
	Pairs      []Pair          `json:"pairs"`           // as measured
	Adds       []Figure        `json:"adds"`            // what the way through adds
	Notes      []string        `json:"notes,omitempty"` // why it is invalid, and what a reader must know
	Command    string          `json:"command,omitempty"`
}

// A Pair is what was measured each way, one right after the other.
type Pair struct{ Direct, Through Leg }

// A Leg is one load, one way.
type Leg struct {
	P50    float64 `json:"p50_ms"`
	P90    float64 `json:"p90_ms"`
	P99    float64 `json:"p99_ms"`
	CPU    float64 `json:"cpu_us"` // of the proxy, for each request
	Sent   int     `json:"sent"`
	Failed int     `json:"failed"`
	Short  bool    `json:"short,omitempty"` // less than 99 % of the plan was offered in time
}

// A Figure is what is added on average over the pairs.
type Figure struct {
	Name   string  `json:"name"` // p50, p90, p99 or cpu
	Unit   string  `json:"unit"` // ms or µs
	Direct float64 `json:"direct"`
	Adds   float64 `json:"adds"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Sure reports whether the interval leaves zero out: something was found.
func (f Figure) Sure() bool { return f.Low > 0 || f.High < 0 }

// Judge fills in what follows from the pairs. The seed is that of what is drawn.
func (r *Report) Judge(proxy bool, seed uint64) {
	r.Schema, r.Verdict, r.Adds = Schema, reports.Pass, []Figure{}
	for _, p := range r.Pairs {
		for _, l := range []Leg{p.Direct, p.Through} {
			if l.Short || l.Failed > 0 {
				r.Verdict = reports.Invalid
			}
		}
	}
	if r.Verdict == reports.Invalid {
		r.Notes = append(r.Notes, "In some loads requests failed, or less than 99 % could be offered in time: the differences would not mean what they seem to. Offer less (--rate), or measure when nothing else runs.")
		return
	}
	if len(r.Pairs) < interval.Enough {
		r.Verdict = reports.Invalid
		r.Notes = append(r.Notes, fmt.Sprintf("%d pairs are too few to say how sure anything is; %d are enough.", len(r.Pairs), interval.Enough))
		return
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	all := figures(proxy)
	each := 1 - (1-r.Confidence)/float64(len(all))
	for _, f := range all {
		diffs, direct := make([]float64, len(r.Pairs)), make([]float64, len(r.Pairs))
		for i, p := range r.Pairs {
			direct[i] = f.of(p.Direct)
			diffs[i] = f.of(p.Through) - direct[i]
		}
		out := Figure{Name: f.name, Unit: f.unit, Direct: interval.Mean(direct).Value, Adds: interval.Mean(diffs).Value}
		out.Low, out.High, _ = interval.Paired(diffs, each, rng)
		r.Adds = append(r.Adds, out)
	}
}

type figure struct {
	name, unit string
	of         func(Leg) float64
}

func figures(proxy bool) []figure {
	all := []figure{
		{"p50", "ms", func(l Leg) float64 { return l.P50 }},
		{"p90", "ms", func(l Leg) float64 { return l.P90 }},
		{"p99", "ms", func(l Leg) float64 { return l.P99 }},
	}
	if proxy {
		all = append(all, figure{"cpu", "µs", func(l Leg) float64 { return l.CPU }})
	}
	return all
}

// Encode writes the report as overhead.json.
func Encode(w io.Writer, r *Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Decode reads an overhead.json. Errors wrap reports.ErrInvalid.
func Decode(rd io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(rd).Decode(&r); err != nil {
		return nil, errors.Join(reports.ErrInvalid, err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("%w: overhead: schema: %q; allowed: %q", reports.ErrInvalid, r.Schema, Schema)
	}
	return &r, nil
}
