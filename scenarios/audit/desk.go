package audit

import (
	"slices"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/ledger"
	"gauntlet/scenarios/otlp"
)

// desk is where the evidence lies while the checks look at it.
type desk struct {
	*Facts
	spans   chains // of Spans.List, by exchange
	traced  source
	meters  []*meter
	logs    []*journal // access logs
	errors  []*journal // logs of errors
	results []Result
	now     *Result
	meter   *meter  // of the result at hand
	lines   []*Line // of the exchange and the journal at hand
	view    view
}

// chains hang what belongs to an exchange on its number, in 8 bytes each.
type chains struct{ head, next []uint32 }

func chain(sent uint64, n int, seq func(int) uint64) chains {
	c := chains{head: make([]uint32, sent+1), next: make([]uint32, n)}
	for i := n - 1; i >= 0; i-- {
		if s := seq(i); s != 0 && s <= sent {
			c.next[i], c.head[s] = c.head[s], uint32(i+1)
		}
	}
	return c
}

// of calls do for everything of one exchange, in its order.
func (c chains) of(seq uint64, do func(i int)) {
	if seq >= uint64(len(c.head)) {
		return
	}
	for n := c.head[seq]; n != 0; n = c.next[n-1] {
		do(int(n - 1))
	}
}

func newDesk(f *Facts) *desk {
	d := &desk{Facts: f}
	if f.Spans != nil {
		d.spans = chain(f.Case.Sent, len(f.Spans.List), func(i int) uint64 { return f.Spans.List[i].Seq })
	}
	d.meters = d.metered()
	d.traced = d.tracesLack()
	d.logs, d.errors = d.journals()
	return d
}

// questions are the checks, for each way in which the target tells what they need.
func (d *desk) questions() (all []Result) {
	for _, c := range Checks() {
		switch {
		case slices.Contains(c.Needs, metrics):
			for _, m := range d.meters {
				all = append(all, Result{Check: c.of(&m.source), meter: m})
			}
		case slices.Contains(c.Needs, logs):
			for _, j := range d.logs {
				all = append(all, Result{Check: c.of(&j.source), journal: j})
			}
		case c.errors:
			for _, j := range d.errors {
				all = append(all, Result{Check: c.of(&j.source), journal: j})
			}
		default:
			all = append(all, Result{Check: c})
		}
	}
	return all
}

// turn makes a result the one at hand.
func (d *desk) turn(r *Result) {
	d.now, d.meter, d.lines = r, r.meter, nil
	if r.journal != nil {
		d.lines = r.journal.here
	}
}

// view is everything about one exchange. It is used again for the next one.
type view struct {
	ledger.Exchange
	id       exchange.ID
	caller   [8]byte       // the client's own span
	spans    []*otlp.Brief // all that are in its trace
	servers  []*otlp.Brief // those of them that are the target's answer to the client
	attempts []*otlp.Brief // client spans
}

// walk shows every exchange to every check, but those whose request a script
// wrote byte by byte: it carries an id, and no trace that the client chose.
func (d *desk) walk() {
	d.foreign()
	for x := range d.Ledger.All() {
		v := d.look(x)
		for _, d.meter = range d.meters {
			d.count(v)
		}
		if v.Client.Flags&book.Scripted != 0 {
			continue
		}
		for i := range d.results {
			if d.turn(&d.results[i]); d.now.open() && d.now.each != nil {
				d.now.each(d, v)
			}
		}
	}
}

// foreign counts the attempts that belong to none of the run's exchanges.
func (d *desk) foreign() {
	if d.Spans == nil {
		return
	}
	for i := range d.Spans.List {
		if s := &d.Spans.List[i]; s.Kind == otlp.Client && (s.Seq == 0 || s.Seq > d.Case.Sent) {
			for _, d.meter = range d.meters {
				d.tried(s, false)
			}
		}
	}
}

func (d *desk) look(x ledger.Exchange) *view {
	v := &d.view
	id := exchange.ID{Run: d.Case.Run, Seq: x.Seq}
	*v = view{Exchange: x, id: id, caller: id.ClientSpan(), spans: v.spans[:0], servers: v.servers[:0], attempts: v.attempts[:0]}
	d.spans.of(x.Seq, func(i int) { v.spans = append(v.spans, &d.Spans.List[i]) })
	for _, list := range [][]*journal{d.logs, d.errors} {
		for _, j := range list {
			j.open(x.Seq)
		}
	}
	for _, s := range v.spans {
		switch s.Kind {
		case otlp.Client:
			v.attempts = append(v.attempts, s)
		case otlp.Server:
			if s.Parent == v.caller || v.span(s.Parent) == nil {
				v.servers = append(v.servers, s)
			}
		}
	}
	return v
}

// span finds a span of the exchange's trace by its id.
func (v *view) span(id [8]byte) *otlp.Brief {
	i := slices.IndexFunc(v.spans, func(s *otlp.Brief) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return v.spans[i]
}

// server is the one server span of the exchange, or nil when there are none or
// several.
func (v *view) server() *otlp.Brief {
	if len(v.servers) != 1 {
		return nil
	}
	return v.servers[0]
}
