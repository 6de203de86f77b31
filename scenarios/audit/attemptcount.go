package audit

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/otlp"
)

// attemptCounter: the counter of attempts counts each try that a backend saw,
// and those that reached none, as the client spans tell them, by what came of
// them. A try that may still have been under way when the metrics were read need
// not be counted: a hedge that lost, or a body that is drained, outlives its
// exchange. Where a target file declares the counter it may count more than
// backends saw. Once the configuration was replaced nothing is asked, since the
// counters of endpoints that are gone go with them.
func attemptCounter() *Check {
	return &Check{
		Name: "attempt-counter", That: "telemetry: the counter of attempts counts every try on a backend",
		Because: "retries that nobody counts multiply load unseen", Needs: []string{metrics},
		lack: func(d *desk) []string {
			name, why := d.meter.names.Attempts, d.unfit(attemptsRole, "counter")
			switch {
			case why != "":
				return []string{why}
			case name != "" && d.reconfigured():
				return []string{"whole " + name + " (the configuration was replaced)"}
			}
			return d.knows("counter of attempts", name)
		},
		end: func(d *desk) int {
			m, t := d.metric(attemptsRole), &d.meter.tally
			if missing := d.amiss(&m, "counter", t.whole); missing != nil {
				d.now.Missing = missing
				return 1
			}
			now := d.outcomes(&m)
			total, seen := sum(now), t.seen
			if d.gaugeless() {
				seen = t.whole
			}
			if total < seen-d.open()-max(0, int(d.meter.grew("pool_leased"))) {
				d.say(0, "%s counts %d attempts, backends saw %d", m.name, total, seen)
			}
			if d.trusted() && !d.accused("attempts") && !d.meter.names.Declared {
				d.agreeAttempts(m.name, now)
			}
			return 1
		},
	}
}

// agreeAttempts holds the counter against the client spans.
func (d *desk) agreeAttempts(name string, now map[string]int) {
	t := &d.meter.tally
	told := maps.Clone(t.tries)
	if _, together := now[""]; together {
		told = map[string]int{"": sum(told)}
	}
	for outcome := range now {
		told[outcome] += 0
	}
	for _, outcome := range slices.Sorted(maps.Keys(told)) {
		if n, want := now[outcome], told[outcome]; n < want || n > want+t.trying {
			d.say(0, "%s counts %d × %s, %d client spans say that", name, n, cmp.Or(outcome, "any"), want)
		}
	}
}

// outcomes gives by how much the counter has grown, by outcome. Without the
// label, or beyond the target's own bound on series, all are counted under "".
func (d *desk) outcomes(of *metric) map[string]int {
	grown := map[string]int{}
	add := func(s *Scrape, sign int) {
		for _, m := range of.of(s) {
			grown[label(m, of.labels.Class)] += sign * int(counted(m))
		}
	}
	add(d.meter.after, 1)
	add(d.meter.before, -1)
	if _, over := grown[overflow]; over {
		return map[string]int{"": sum(grown)}
	}
	return grown
}

func sum(by map[string]int) (n int) {
	for _, one := range by {
		n += one
	}
	return n
}

// outcome is under what the counter has an attempt whose span says this.
func outcome(s *otlp.Brief) string {
	if _, err := strconv.Atoi(s.ErrorType); err != nil && s.ErrorType != "" {
		return s.ErrorType
	}
	if class := s.Code / 100; class >= 1 && class <= 5 {
		return strconv.Itoa(class) + "xx"
	}
	return "other"
}

// attempted counts the attempts of an exchange.
func (d *desk) attempted(v *view) {
	t := &d.meter.tally
	if v.Client.Flags&book.Scripted != 0 {
		t.trying += len(v.Attempts) // of traces that nobody knows
	} else {
		t.seen += len(v.Attempts)
	}
	root := v.server()
	for _, s := range v.attempts {
		d.tried(s, root != nil && s.End <= root.End)
	}
}

// tried counts a client span. One within its exchange had been counted when that
// was; any other may have been counted a moment after its end.
func (d *desk) tried(s *otlp.Brief, within bool) {
	if d.meter.after == nil {
		return
	}
	read := d.meter.counted
	if !within {
		read -= skew / 10
	}
	if s.End >= read {
		d.meter.tally.trying++
		return
	}
	d.meter.tally.tries[outcome(s)]++
}

// accused reports whether a check has found a disagreement.
func (d *desk) accused(name string) bool {
	return slices.ContainsFunc(d.results, func(r Result) bool { return r.Check.Name == name && r.Count > 0 })
}

// reconfigured reports whether the target has taken another configuration than
// the one it had before, or began with, which is number 1.
func (d *desk) reconfigured() bool {
	now, was, ok := d.meter.tell("generation")
	return ok && now != max(was, 1)
}
