package audit

import (
	"encoding/hex"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/otlp"
)

// exemplars: the trace that an exemplar names is there, and is one that its
// series and its bucket can mean: with that method and status, and a server span
// that took as long as the exemplar says. The value lies in its bucket. An
// exemplar of a trace that nobody exported is no lie of a target that samples.
func exemplars() *Check {
	return &Check{
		Name: "exemplars", That: "telemetry: exemplars name traces that are there, in their buckets",
		Because: "from a slow bucket one must come to a slow request", Needs: []string{metrics, traces},
		end: func(d *desk) int {
			n := 0
			for _, name := range d.meter.after.names() {
				for _, m := range d.meter.after.series(name) {
					floor := 0.0
					for _, b := range m.GetHistogram().GetBucket() {
						n += d.exemplar(name, m, b.GetExemplar(), floor, b.GetUpperBound())
						floor = b.GetUpperBound()
					}
					for _, e := range m.GetHistogram().GetExemplars() {
						n += d.exemplar(name, m, e, 0, 0)
					}
					n += d.exemplar(name, m, m.GetCounter().GetExemplar(), 0, 0)
				}
			}
			return n
		},
	}
}

// exemplar looks at one exemplar, of a bucket when its bounds differ, and counts
// it.
func (d *desk) exemplar(name string, m *dto.Metric, e *dto.Exemplar, floor, bound float64) int {
	at := slices.IndexFunc(e.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == "trace_id" || l.GetName() == "traceID" })
	if at < 0 {
		return 0
	}
	text := e.GetLabel()[at].GetValue()
	var trace [16]byte
	if n, err := hex.Decode(trace[:], clip([]byte(text), 32)); err != nil || n != 16 {
		d.say(0, "an exemplar of %s names the trace %.40q, which is none", name, text)
		return 1
	}
	if v := e.GetValue(); floor != bound && (v > bound || v <= floor && floor != 0) {
		d.say(0, "an exemplar of %s of %v s stands in the bucket from %v to %v", name, v, floor, bound)
	}
	root, seq := d.root(trace)
	switch {
	case !d.trusted():
	case root == nil:
		d.say(seq, "an exemplar of %s names trace %s, which has no server span", name, text)
	default:
		for _, role := range []string{requestsRole, durationsRole} {
			if of := d.metric(role); of.name == name && of.has(m) {
				d.means(&of, m, e, root, seq)
			}
		}
	}
	return 1
}

// means asks whether the exemplar can be one of that exchange.
func (d *desk) means(of *metric, m *dto.Metric, e *dto.Exemplar, root *otlp.Brief, seq uint64) {
	k, _ := of.read(m)
	g, name := d.grain(of), of.name
	if own := g.of(key{usual(root.Method), root.Code, root.Route, root.Class}); root.Method != "" && own != g.of(k) {
		d.say(seq, "an exemplar of %s for %s names a trace whose server span says %s", name, k, own)
		return
	}
	took := time.Duration(root.End - root.Start)
	value := time.Duration(e.GetValue() * of.unit * 1e9)
	if least, most := near(took); m.GetHistogram() != nil && (value < least || value > most) {
		d.say(seq, "an exemplar of %s of %v names a trace whose server span took %v", name, value, took)
	}
}

// root finds the server span of a trace, of the run's or of a probe's.
func (d *desk) root(trace [16]byte) (root *otlp.Brief, seq uint64) {
	if id := exchange.FromTraceID(trace); id.Run == d.Case.Run && id.Seq <= d.Case.Sent {
		d.spans.of(id.Seq, func(i int) {
			if s := &d.Spans.List[i]; s.Kind == otlp.Server && (root == nil || s.Parent == id.ClientSpan()) {
				root = s
			}
		})
		return root, id.Seq
	}
	for i := range d.Spans.List {
		if s := &d.Spans.List[i]; s.Kind == otlp.Server && s.Trace == trace {
			return s, 0
		}
	}
	return nil, 0
}
