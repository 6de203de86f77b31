package audit

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// counters: what the target counted in the case is what happened in it, by
// method, status, route and what went wrong. Each exchange that it provably took and whose client got a
// whole answer is counted once under that status; one that ended otherwise may be
// counted under any status, or not at all when it may never have been taken.
// Where its spans are whole, they must say the same as its counters to the last
// exchange, since no doubt about clients comes between the two. What was still
// under way when the metrics were read need not be counted yet. A counter of
// errors counts the answers of 500 and above.
func counters() *Check {
	return &Check{
		Name: "counters", That: "telemetry: counters count what happened, by method and status",
		Because: "alerts and bills are made of them", Needs: []string{metrics},
		lack: func(d *desk) []string {
			m := d.meter.names
			missing := d.knows("counter of exchanges", cmp.Or(m.Requests, m.Errors))
			if m.Errors != "" && !d.current(m.Errors) {
				missing = d.knows("counter of errors", m.Errors)
			}
			for _, role := range []string{requestsRole, errorsRole} {
				if why := d.unfit(role, "counter"); why != "" {
					missing = append(missing, why)
				}
			}
			return missing
		},
		end: func(d *desk) int {
			missing := append(d.requests(), d.failures()...)
			if d.now.Count == 0 {
				d.now.Missing = missing
			}
			return 1
		},
	}
}

// requests holds the counter of exchanges against ledger and spans; like
// failures it gives what is amiss.
func (d *desk) requests() []string {
	m, due := d.metric(requestsRole), 0
	for _, n := range d.meter.tally.due {
		due += n
	}
	if missing := d.amiss(&m, "counter", due); m.name == "" || missing != nil {
		return missing
	}
	now := d.grown(&m, counted)
	d.compare(&m, now)
	d.agree(&m, now)
	return nil
}

// compare holds counts against the ledger.
func (d *desk) compare(m *metric, all map[key]float64) {
	g, t, name := d.grain(m).known(), &d.meter.tally, m.name
	due, now := coarse(t.due, g), coarse(all, g)
	may, open := t.loose+t.vague+d.strays(), d.open()
	sum, total := 0, 0.0
	for _, k := range keys(due, now) {
		if k.code/100 == 1 && d.meter.names.Declared {
			now[k] = min(now[k], float64(due[k])) // it may count what came before the answer, too
		}
		sum, total = sum+due[k], total+now[k]
		switch n := int(now[k]); {
		case n < due[k]-open:
			d.blame(k, g, "%s counts %d × %s, %d clients got that", name, n, k, due[k])
		case n > due[k]+may:
			d.blame(k, g, "%s counts %d × %s, %d clients got that and at most %d more can have ended so", name, n, k, due[k], may)
		}
	}
	if n, least := int(total), sum+d.sure(t.vague)-open; n < least || n > sum+may {
		d.say(0, "%s counts %d exchanges, at least %d and at most %d took place", name, n, least, sum+may)
	}
}

// agree holds counts against the target's own spans.
func (d *desk) agree(m *metric, all map[key]float64) {
	if !d.trusted() || d.meter.names.Declared {
		return // of a stranger's spans nobody knows when they end
	}
	g, name := d.grain(m), m.name
	told, now := coarse(d.meter.tally.spans, g), coarse(all, g)
	may := d.meter.tally.late + d.strays()
	for _, k := range keys(told, now) {
		if n := int(now[k]); n < told[k] || n > told[k]+may {
			d.blame(k, g, "%s counts %d × %s, %d server spans say that", name, n, k, told[k])
		}
	}
}

// blame says it of some of the exchanges that are counted so.
func (d *desk) blame(k key, g grain, format string, args ...any) {
	seq := uint64(0)
	for _, fine := range slices.SortedFunc(maps.Keys(d.meter.tally.examples), order) {
		if seqs := d.meter.tally.examples[fine]; g.of(fine) == k && len(seqs) > 0 {
			seq = seqs[len(seqs)-1]
			break
		}
	}
	d.say(seq, format, args...)
}

// coarse adds up what a counter of that grain cannot tell apart.
func coarse[N int | float64](fine map[key]N, g grain) map[key]N {
	m := make(map[key]N, len(fine))
	for k, n := range fine {
		m[g.of(k)] += n
	}
	return m
}

func keys[A, B any](a map[key]A, b map[key]B) []key {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.SortFunc(all, order)
	return slices.Compact(all)
}

func order(a, b key) int {
	return cmp.Or(strings.Compare(a.method, b.method), a.code-b.code, strings.Compare(a.route, b.route), strings.Compare(a.class, b.class))
}
