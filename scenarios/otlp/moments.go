package otlp

import (
	"encoding/hex"
	"fmt"
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

// Moments gives what the spans say of one exchange, by time. It is nil when
// none belongs to it.
func Moments(s Spans, run, seq uint64) []Moment {
	var all []Moment
	for i := range s.List {
		sp := &s.List[i]
		if at, ok := seqOf(sp.Trace, run); !ok || at != seq {
			continue
		}
		name := fmt.Sprintf("%s span %s", kindName(sp.Kind), hex.EncodeToString(sp.ID[:4]))
		if sp.Name != "" {
			name += " (" + sp.Name + ")"
		}
		end := "ends"
		if sp.Status == Error {
			end = "ends in error"
		}
		all = append(all, Moment{sp.Start, "target", name + " begins"}, Moment{sp.End, "target", name + " " + end + attributes(sp.Attrs)})
		for _, e := range sp.Events {
			all = append(all, Moment{e.Time, "target", name + ": " + e.Name + attributes(e.Attrs)})
		}
	}
	slices.SortStableFunc(all, func(a, b Moment) int { return int(a.Time - b.Time) })
	return all
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
