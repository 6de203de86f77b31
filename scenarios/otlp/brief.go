package otlp

import (
	"cmp"
	"slices"
)

// A Brief is what the audit asks of a span: 250 bytes where a Span with its
// attributes is kilobytes. Texts that many spans have are held once.
type Brief struct {
	Trace     [16]byte
	ID        [8]byte
	Parent    [8]byte // zero for a root
	Seq       uint64  // the exchange of the run whose trace it is in; 0: none of them
	Start     int64   // Unix nanoseconds
	End       int64
	Kind      Kind
	Status    Status
	Code      int      // http.response.status_code, 0 when it has none
	Resend    int      // http.request.resend_count
	Method    string   // http.request.method
	Route     string   // http.route
	ErrorType string   // error.type
	Class     string   // gauntlet.error.class
	Phase     string   // gauntlet.attempt.phase: in which it failed
	Reason    string   // gauntlet.attempt.reason: why it was made
	Aborted   bool     // gauntlet.response.aborted
	events    []string // names
	address   string
	port      int
	peer      string
	peerPort  int
}

// Failed reports whether the span says that what it covers went wrong.
func (b *Brief) Failed() bool {
	return b.Status == Error || b.ErrorType != "" || b.Class != "" || b.Aborted
}

// Briefs are the spans of a file, each once, by start.
type Briefs struct {
	List []Brief
	// Complete says that the file is sealed and nothing was refused.
	Complete bool
	Counts   Counts
	Events   map[string]int // span events by name
}

// maxNames bounds the texts that are held once: a target that invents them must
// not make us search ever more.
const maxNames = 4096

// settle orders the list and leaves the copies out that an exporter sent again
// because it saw no answer: of those, the one that ended last holds.
func (b *Briefs) settle() {
	slices.SortFunc(b.List, func(x, y Brief) int {
		return cmp.Or(slices.Compare(x.Trace[:], y.Trace[:]), slices.Compare(x.ID[:], y.ID[:]), cmp.Compare(y.End, x.End))
	})
	b.List = slices.CompactFunc(b.List, func(x, y Brief) bool { return x.Trace == y.Trace && x.ID == y.ID })
	slices.SortFunc(b.List, func(x, y Brief) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), slices.Compare(x.Trace[:], y.Trace[:]), slices.Compare(x.ID[:], y.ID[:]))
	})
	for i := range b.List {
		for _, name := range b.List[i].events {
			b.Events[name]++
		}
	}
}
