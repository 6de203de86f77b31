package otlp

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A Moment is one entry of the line over an exchange's trace: the begin or end
// of a span, or an event in it.
type Moment struct {
	Time  int64  // Unix nanoseconds
	Party string // "target"
	What  string
}

// ReadMoments gives what the spans of a file say of the wanted exchanges of a
// run, by time. It holds no more than those.
func ReadMoments(path string, run uint64, wanted func(seq uint64) bool) (map[uint64][]Moment, error) {
	g := gatherer{at: map[[24]byte]int{}, wanted: func(trace [16]byte) bool {
		seq, ok := seqOf(trace, run)
		return ok && wanted(seq)
	}}
	err := open(path, func(r io.Reader) error { _, err := g.read(r); return err })
	if err != nil {
		return nil, err
	}
	all := map[uint64][]Moment{}
	for _, s := range g.sorted() {
		seq, _ := seqOf(s.Trace, run)
		all[seq] = append(all[seq], s.moments()...)
	}
	for _, list := range all {
		slices.SortStableFunc(list, func(a, b Moment) int { return cmp.Compare(a.Time, b.Time) })
	}
	return all, nil
}

// moments are the span's begin and end, and its events.
func (sp *Span) moments() []Moment {
	name := fmt.Sprintf("%s span %s", kindName(sp.Kind), hex.EncodeToString(sp.ID[:4]))
	if sp.Name != "" {
		name += " (" + sp.Name + ")"
	}
	end := "ends"
	if sp.Status == Error {
		end = "ends in error"
	}
	all := []Moment{{sp.Start, "target", name + " begins"}}
	for _, e := range sp.Events {
		all = append(all, Moment{e.Time, "target", name + ": " + e.Name + attributes(e.Attrs)})
	}
	return append(all, Moment{sp.End, "target", name + " " + end + attributes(sp.Attrs)})
}

func kindName(k Kind) string {
	switch k {
	case Server:
		return "server"
	case Client:
		return "attempt"
	default:
		return "inner"
	}
}

// attributes writes them in the order of their names.
func attributes(attrs map[string]any) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		fmt.Fprintf(&b, " %s=%v", name, attrs[name])
	}
	return b.String()
}
