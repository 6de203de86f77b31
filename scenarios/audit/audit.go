// Package audit holds what a target says of itself against what happened: its
// spans, metrics and access log against the ledger, and against each other. It
// is made of pure functions over what was recorded; it runs nothing and decides
// no verdict. Each check stands in a file of its own, with the honest
// ambiguities that it must not take for a lie.
//
// A check accuses only of what a correct target could not have said. What the
// target cannot have known (whether its last bytes arrived), what it need not
// have noticed (a connection that it never accepted, a request that it could
// not parse) and what we did to it (a link that we cut, a stop that we asked
// for) accuses nobody.
package audit

import (
	"fmt"

	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
	"gauntlet/scenarios/otlp"
)

// Facts are what is known of one case. They are read only.
type Facts struct {
	Case   *evidence.Case
	Ledger *ledger.Ledger
	// What follows is nil where the evidence has none. Log and Errors are files,
	// Before and After scrapes; Points, Records and ErrorRecords came by OTLP.
	Spans        *otlp.Briefs
	Log          *Log
	Errors       *Log
	Before       *Scrape
	After        *Scrape
	Points       *otlp.Metrics
	Records      *Log
	ErrorRecords *Log
}

// The signals that a check may need, in the words of evidence.Target.Telemetry.
// Metrics and logs may come two ways; each of them is held to account.
const (
	traces      = "traces"
	metrics     = "metrics"
	logs        = "access_log"
	otlpMetrics = "otlp_metrics"
	otlpLogs    = "otlp_logs"
)

// ByOTLP ends what must hold of metrics or logs that came by OTLP.
const ByOTLP = " (by OTLP)"

// A Check is one question to the target's telemetry.
type Check struct {
	Name    string // by which a scenario can leave it out
	That    string // what must hold
	Because string
	Needs   []string // signals, all of them, whichever way they come

	errors bool // it asks the logs of errors, of each kind that there is

	each func(*desk, *view)   // for every exchange sent; may be nil
	end  func(*desk) (n int)  // once; may be nil. n is what it compared beside exchanges
	lack func(*desk) []string // what else the target must give; may be nil
}

// A Disagreement is one thing that the target says and that is not so.
type Disagreement struct {
	Seq    uint64 // the exchange concerned, 0 for none in particular
	Detail string
}

// A Result is what came of one check, of metrics and logs for each way in which
// the target tells them.
type Result struct {
	*Check
	// Absent says that the target does not export what it needs at all.
	Absent bool
	// Missing names what the target does not give, or not whole; then nothing
	// else is said.
	Missing []string
	// Untold says which evidence of ours is missing; then nothing else is said.
	Untold string
	// Count is how many disagreements there are. Disagreements holds the first.
	Count         int
	Disagreements []Disagreement

	meter   *meter
	journal *journal
}

// maxKept bounds the disagreements that a result holds.
const maxKept = 50

// Checks lists the checks.
func Checks() []*Check {
	return []*Check{
		serverSpan(), attempts(), nesting(), status(), success(),
		counters(), attemptCounter(), durations(), exemplars(), gauges(), labels(),
		logLines(), logFigures(), logTraces(), errorLog(),
	}
}

// Names lists the names of the checks.
func Names() []string {
	var names []string
	for _, c := range Checks() {
		names = append(names, c.Name)
	}
	return names
}

// Run carries out every check, and leaves out those that the target gives
// nothing for.
func Run(f *Facts) []Result {
	d := newDesk(f)
	results := d.questions()
	for i := range results {
		d.turn(&results[i])
		d.lacks(&results[i])
	}
	d.results = results
	d.walk()
	for i := range results {
		r := &results[i]
		if !r.open() || r.end == nil {
			continue
		}
		d.turn(r)
		if n := r.end(d); n == 0 && r.each == nil {
			r.Missing = []string{r.Name + " to compare"}
		}
	}
	return results
}

// open reports whether the check is carried out.
func (r *Result) open() bool { return len(r.Missing) == 0 && r.Untold == "" }

// trusted reports whether the spans are a measure for other signals: they are
// whole and no exchange has spoken against them. What a lie of theirs makes of
// the comparison accuses nobody else.
func (d *desk) trusted() bool {
	for i := range d.results {
		switch r := &d.results[i]; r.Name {
		case "server-span", "nesting", "status", "success":
			if r.Count > 0 {
				return false
			}
		}
	}
	return d.traced.whole() && !d.Case.Target.Says.Sampled
}

// say notes a disagreement of the check at hand.
func (d *desk) say(seq uint64, format string, args ...any) {
	r := d.now
	r.Count++
	if len(r.Disagreements) < maxKept {
		r.Disagreements = append(r.Disagreements, Disagreement{Seq: seq, Detail: fmt.Sprintf(format, args...)})
	}
}
