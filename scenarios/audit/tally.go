package audit

import (
	"time"

	"gauntlet/scenarios/otlp"
)

// A tally counts the exchanges of the case as each book tells them.
type tally struct {
	// due are the exchanges that must be counted, with what their client got;
	// some of each are kept as examples.
	due      map[key]int
	examples map[key][]uint64
	// vague are those that must be counted, under whatever status, and loose
	// those that may be.
	vague, loose int
	// spans are those with a server span that had ended when the metrics were
	// read, and late those whose span ended about then or afterwards.
	spans map[key]int
	late  int
	// seen are the attempts that backends saw, tries the client spans that had
	// ended when the metrics were read, by outcome, and trying the attempts that
	// may have been counted by then or not.
	seen, trying int
	tries        map[string]int
	// took is how long the server spans are that had ended.
	took []time.Duration
	// whole are the attempts that backends read the head of, for exchanges whose
	// clients saw them through.
	whole int
	// mute are those due that the target may still have been reading.
	mute int
}

const maxExamples = 10

func newTally() tally {
	return tally{due: map[key]int{}, examples: map[key][]uint64{}, spans: map[key]int{}, tries: map[string]int{}}
}

// count takes an exchange into the tally.
func (d *desk) count(v *view) {
	t := &d.meter.tally
	switch taken := d.taken(v); {
	case taken && d.plain(v):
		if left(v.Client) {
			t.mute++
		} else {
			t.whole += sightings(v)
		}
		k := key{method: usual(v.Client.Method.String()), code: int(v.Client.Status)}
		t.due[k]++
		if len(t.examples[k]) < maxExamples {
			t.examples[k] = append(t.examples[k], v.Seq)
		}
	case taken:
		t.vague++
	default:
		t.loose++
	}
	if s := v.server(); s != nil {
		d.ended(s)
	}
	d.attempted(v)
}

// ended counts a server span.
func (d *desk) ended(s *otlp.Brief) {
	t := &d.meter.tally
	if d.meter.after != nil && s.End >= d.meter.counted {
		t.late++
		return
	}
	t.took = append(t.took, time.Duration(s.End-s.Start))
	t.spans[key{usual(s.Method), s.Code, s.Route, s.Class}]++
}

// strays is how many exchanges of nobody's the target may have counted beside
// those of the run: probes. A target whose traces or log are there has told of
// them; else some are taken for granted.
func (d *desk) strays() int {
	n := 0
	switch {
	case d.Spans != nil:
		for i := range d.Spans.List {
			if s := &d.Spans.List[i]; s.Kind == otlp.Server && (s.Seq == 0 || s.Seq > d.Case.Sent) {
				n++
			}
		}
	case d.logs[0].log != nil:
		for i := range d.logs[0].log.Lines {
			if s := d.logs[0].log.Lines[i].Seq; s == 0 || s > d.Case.Sent {
				n++
			}
		}
	default:
		n = probes
	}
	return n
}

// probes are the requests of nobody's that go unnoticed where only metrics
// tell: those by which the harness finds a target ready.
const probes = 10

// open is how many exchanges the target says it had under way, beyond those it
// had before, when its metrics were read. Where a target file declares what counts
// and no gauge of it, any of the vague may be, and those that it may still have
// been reading; see sure.
func (d *desk) open() int {
	if d.gaugeless() {
		return d.meter.tally.mute
	}
	return max(0, int(d.meter.grew("inflight")))
}

func (d *desk) gaugeless() bool { return d.meter.names.Declared && !d.counts("inflight") && d.looked() }

// sure gives how many of the vague must have been counted. Without a gauge of
// what is under way nobody can say that the target had done with a client that
// left; of one that somebody found at rest it is known all the same, unless a
// target file declares what counts.
func (d *desk) sure(vague int) int {
	if !d.looked() || !d.counts("inflight") && (d.meter.names.Declared || d.meter.signal == otlpMetrics) {
		return 0
	}
	return vague
}

// looked reports whether the metrics tell of the target after the case.
func (d *desk) looked() bool {
	return d.Case.Target.Quiet != nil || d.meter.signal == otlpMetrics
}

// counts reports whether the target has a gauge that is one of our words.
func (d *desk) counts(word string) bool {
	_, _, ok := d.meter.tell(word)
	return ok
}
