// Package capacity is the model of a capacity report: the highest rate that a
// target carries within an objective, how sure that is, what gave out first
// and what follows for a plan, as versioned JSON. It searches and measures
// nothing; how a report looks is made from it in reports/render.
package capacity

import (
	"time"

	"gauntlet/reports"
)

// Schema names the form of a Report; a change that old readers would misread
// gets another number.
const Schema = "gauntlet.capacity/v1"

// Report is what a search for a ceiling found.
type Report struct {
	Schema      string              `json:"schema"`
	Verdict     reports.Verdict     `json:"verdict"`
	Headline    string              `json:"headline"` // the first line, for whoever reads one
	Target      reports.Target      `json:"target"`
	Cores       float64             `json:"cores"` // that the target may use, 0 when nobody knows
	Objective   Objective           `json:"objective"`
	Found       *Found              `json:"found,omitempty"` // nil when there is no number to give
	GaveOut     GaveOut             `json:"gave_out"`
	Plan        *Plan               `json:"plan,omitempty"` // for a stated peak
	Generator   Generator           `json:"generator"`
	Setup       []Fact              `json:"setup"`
	Caveats     []string            `json:"caveats"`
	Probes      []Probe             `json:"probes"`      // in the order in which they ran
	Calibration []Probe             `json:"calibration"` // of the generator against the backend, with no target between
	Percentiles []Percentile        `json:"percentiles,omitempty"`
	Interrupted bool                `json:"interrupted,omitempty"`
	Seed        uint64              `json:"seed"`
	Started     time.Time           `json:"started"`
	Seconds     reports.Seconds     `json:"seconds"`
	Command     string              `json:"command,omitempty"` // repeats it
	Environment reports.Environment `json:"environment"`
}

// Objective is what a rate must be carried within.
type Objective struct {
	Quantile float64        `json:"quantile"` // 0.99
	Bound    reports.Millis `json:"bound_ms"` // of that quantile, from the intended start
	Errors   float64        `json:"errors"`   // share of requests that may fail honestly
}

// Found is the ceiling, in requests a second.
type Found struct {
	Rate    float64        `json:"rate"`   // the highest that held, again and again
	Low     float64        `json:"low"`    // of the 95 % confidence interval of the ceiling
	High    float64        `json:"high"`   // likewise
	Failed  float64        `json:"failed"` // the lowest that did not hold; 0 when none failed
	AtLeast bool           `json:"at_least"`
	Held    int            `json:"held"` // how often the rate held
	Latency reports.Millis `json:"latency_ms"`
	Knee    float64        `json:"knee,omitempty"`                    // where latency begins to rise steeply; 0 when it does not
	CPU     float64        `json:"cpu_seconds_per_million,omitempty"` // of the target, for a million requests at Rate
	Bytes   int64          `json:"rss_bytes,omitempty"`               // of the target at Rate
}

// What may give out first.
const (
	CPU         = "CPU"
	Thread      = "one thread's CPU"
	Memory      = "memory"
	Descriptors = "descriptors"
	Pool        = "the connection pool"
	Backend     = "the backend"
	Ledger      = "the ledger"
	GeneratorIs = "the load generator"
	Neighbours  = "room on the machine, to other programs,"
	Nothing     = "nothing" // the most that was allowed was carried
	Unknown     = "unknown"
)

// GaveOut says what kept the target from more.
type GaveOut struct {
	What   string   `json:"what"`
	Why    []string `json:"why"`    // the figures that say so
	Advice string   `json:"advice"` // what to do about it
}

// Ours reports whether it was the measuring side that gave out, so that nothing
// is said of the target.
func (g GaveOut) Ours() bool { return g.What == GeneratorIs || g.What == Neighbours }

// Generator is what the load generator can do by itself.
type Generator struct {
	Most   float64 `json:"most"`   // requests a second against the backend, as fast as it goes
	Trust  float64 `json:"trust"`  // up to which its offers are believed: it held this rate, on time
	Share  float64 `json:"share"`  // Trust as a share of Most, at the most
	Reason string  `json:"reason"` // what bounded Trust
}

// Fact is a line of the set-up.
type Fact struct {
	Name string `json:"name"`
	Is   string `json:"is"`
}

// Probe is one rate, tried.
type Probe struct {
	N       int             `json:"n"`
	Rate    float64         `json:"rate"` // offered, in requests a second
	Why     string          `json:"why"`
	Held    bool            `json:"held"`
	Because []string        `json:"because,omitempty"` // why not
	Invalid string          `json:"invalid,omitempty"` // why nothing can be said, where that is so
	Stopped bool            `json:"stopped,omitempty"` // early, since it was hopeless
	Seconds reports.Seconds `json:"seconds"`           // of offering, without the warm-up
	Planned int             `json:"planned"`
	Sent    int             `json:"sent"`
	Late    int             `json:"late"`
	Starved int             `json:"starved"` // late by the generator's own doing
	Samples int             `json:"samples"` // latencies counted
	Beyond  int             `json:"beyond"`  // samples above the quantile: few of them make it uncertain
	Errors  int             `json:"errors"`
	Served  float64         `json:"served"` // good answers a second while requests were offered
	Latency Latency         `json:"latency_ms"`
	Rising  reports.Millis  `json:"rising_ms_per_second"` // of the median, where it rises throughout
	Ledger  reports.Ledger  `json:"ledger"`
	Usage   map[string]Use  `json:"usage,omitempty"` // by party: target, generator, backend
	Busy    float64         `json:"machine_busy"`    // share of all cores
	Stolen  float64         `json:"machine_stolen,omitempty"`
	In      int             `json:"connections_in"`  // most at once, established
	Out     int             `json:"connections_out"` // likewise, to backends
	Waiting int             `json:"time_wait"`       // sockets of the target's, most at once

	Metrics  map[string]float64 `json:"metrics,omitempty"`  // the target's own, most at once
	Evidence string             `json:"evidence,omitempty"` // directory, relative to the report; "" when it was cleared away
}

// Latency is from the intended start.
type Latency struct {
	P50  reports.Millis `json:"p50"`
	P90  reports.Millis `json:"p90"`
	P95  reports.Millis `json:"p95"`
	P99  reports.Millis `json:"p99"`
	P999 reports.Millis `json:"p999"`
	Max  reports.Millis `json:"max"`
	At   reports.Millis `json:"objective"` // at the objective's quantile
}

// Use is what a party used.
type Use struct {
	Cores       float64 `json:"cores"`
	Peak        float64 `json:"cores_peak"`
	RSS         int64   `json:"rss_bytes"`
	Descriptors int     `json:"descriptors"`
	Threads     int     `json:"threads"`
	Switches    float64 `json:"context_switches_per_second"`
	Involuntary float64 `json:"involuntary_switches_per_second"`
}

// Percentile is one point of the distribution at the rate found.
type Percentile struct {
	Share float64        `json:"share"` // of requests
	MS    reports.Millis `json:"ms"`    // that they stay within
	Count int            `json:"count"` // how many that is
}
