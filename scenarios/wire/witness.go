package wire

import (
	"strings"

	"gauntlet/fixtures/http1"
)

// An Answer is what a client was told beside what its record says. What is long
// is cut.
type Answer struct {
	Seq      uint64
	Fields   []http1.Field
	Body     string
	Trailers []http1.Field
	Interim  []int // the statuses of the 1xx answers before it
}

// Bounds of what is told of one answer.
const (
	toldBody   = 4 << 10
	toldFields = 64
	toldValue  = 1 << 10
	toldHints  = 16
)

// testify tells what the exchanges of a client were answered, when nothing can
// change that any more.
func (p *player) testify() {
	var all []Answer
	for _, x := range p.begun {
		a := Answer{Seq: x.id.Seq}
		if x.on != nil {
			l := x.on.common()
			head, trailer := l.fields(x.Exchange)
			a.Fields, a.Trailers, a.Body = told(head), told(trailer), string(l.payload(x.Exchange, 0, toldBody))
			l.mu.Lock()
			a.Interim = x.hints
			l.mu.Unlock()
		}
		all = append(all, a)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = append(p.answers, all...)
}

func told(fields []http1.Field) []http1.Field {
	var out []http1.Field
	for _, f := range fields[:min(len(fields), toldFields)] {
		out = append(out, http1.Field{Name: f.Name, Value: strings.Clone(f.Value[:min(len(f.Value), toldValue)])})
	}
	return out
}
