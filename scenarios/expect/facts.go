package expect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

// Facts are what is known about one case. They are read only.
type Facts struct {
	Case     *evidence.Case
	Books    ledger.Books
	Ledger   *ledger.Ledger
	Attempts map[uint64][]Attempt // by sequence number; nil without traces
	Events   map[string]int       // span events by name; nil without traces
	Table    bool                 // rows judge the exchanges, also by answers that our reader refuses
}

// An Attempt is one try of an exchange as the target's trace tells it.
type Attempt struct {
	ErrorType string // error.type of the span, "" when it succeeded
	Phase     string // in which it failed
	Reason    string // why it was made: recovery or retry, "" for the first
	Endpoint  string // host:port
	Resend    int    // http.request.resend_count
}

// A missing is evidence this target does not give: the statement is unsupported.
type missing struct{ what string }

func (m missing) Error() string { return "the target gives no " + m.what }

// errUntold is wrapped by errors about evidence that should be there and is not.
var errUntold = errors.New("cannot be told")

func untold(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUntold, fmt.Sprintf(format, args...))
}

// have reports whether evidence of a kind is there: nil, a missing, or an error
// when it should be there and is not.
func (f *Facts) have(need string) error {
	switch need {
	case Traces:
		if !slices.Contains(f.Case.Target.Telemetry, Traces) {
			return missing{Traces}
		}
		if !f.Case.Target.Traces || f.Attempts == nil {
			return untold("the target's traces are incomplete")
		}
	case Metrics:
		if !slices.Contains(f.Case.Target.Telemetry, Metrics) {
			return missing{Metrics}
		}
	case Process:
		if f.Case.Target.PID == 0 {
			return missing{Process}
		}
	case Backend:
		if f.Case.Backends == 0 {
			return missing{Backend}
		}
		if len(f.Books.Backends) < f.Case.Backends || slices.Contains(f.Books.Backends, nil) {
			return untold("a backend book is missing")
		}
	}
	return nil
}

// LastTouch is when fault window n, from 1, last acted on anything, as its
// receipts say; 0 when it never did.
func (f *Facts) LastTouch(n int) (last int64) {
	if f.Books.Faults == nil {
		return 0
	}
	for i := range f.Books.Faults.Receipts {
		if r := &f.Books.Faults.Receipts[i]; int(r.Window) == n {
			last = max(last, r.Until)
		}
	}
	return last
}

// unknown counts the exchanges whose outcome a missing book leaves open. Where no
// backend keeps any, outcomes are not spoken of at all: see seen. An answer that
// our reader refuses is no gap in what the rows of a table are judged by.
func (f *Facts) unknown() int {
	if f.Case.Backends == 0 {
		return 0
	}
	n := f.Ledger.Count(ledger.Unverified)
	if f.Table {
		n -= f.Ledger.Unread()
	}
	return n
}

// seen reports whether an outcome can be told: by the clients alone, or by the
// books of backends, which it says are missing where there are none.
func (f *Facts) seen(outcome string) error {
	switch outcome {
	case "sent", "unsent", "stuck", "abandoned":
		return nil
	}
	if f.Case.Backends == 0 {
		return missing{Backend}
	}
	return nil
}

// Doubt says why a statement that does not hold, because of these exchanges,
// accuses nobody: the evidence has gaps (a book that is missing or cut, an
// outcome left open, a failure of the harness itself) and none of the exchanges
// shows damage that was seen. It is nil when there is no doubt.
func (f *Facts) Doubt(exchanges []uint64) error {
	whole := len(f.Case.Errors) == 0 && len(f.Ledger.Dark()) == 0 && f.unknown() == 0
	if whole || slices.ContainsFunc(exchanges, func(seq uint64) bool { return f.Ledger.Outcome(seq).Damaged() }) {
		return nil
	}
	return untold("what is missing of the evidence could make it hold")
}

// offset gives a time as the distance from the beginning of the case, from
// which windows and loads count.
func (f *Facts) offset(t int64) time.Duration { return time.Duration(t - f.Case.Begin) }

// window gives a named window as it truly was.
func (f *Facts) window(name string) (from, until time.Duration, err error) {
	w, ok := f.Case.Windows[name]
	for _, fault := range f.Case.Faults {
		if fault.Name == name && !ok {
			w, ok = fault.Window, true
		}
	}
	if !ok || w.From == 0 {
		return 0, 0, untold("the window %q never opened", name)
	}
	return f.offset(w.From), f.offset(w.Until), nil
}

// group gives the index of a named load, by which client records name it.
func (f *Facts) group(name string) (uint16, bool) {
	i := slices.IndexFunc(f.Case.Groups, func(g evidence.Group) bool { return g.Load && g.Name == name })
	return uint16(max(i, 0)), i >= 0
}

// seq gives the exchange of a name.
func (f *Facts) seq(name string) (uint64, error) {
	seq, ok := f.Case.Names[name]
	if !ok || !f.Ledger.Has(seq) {
		return 0, untold("the exchange %q was never sent", name)
	}
	return seq, nil
}

// ended says how an answer ended, as its client saw it.
func ended(e book.End) string {
	switch e {
	case book.EndBodiless, book.EndLength, book.EndLastChunk, book.EndClose, book.EndTunnel:
		return "clean"
	case book.EndTimeout:
		return "timeout"
	case book.EndAbandoned:
		return "abandoned"
	case book.EndRefused:
		return "refused"
	case book.EndMalformed:
		return "malformed"
	case book.EndNone:
		return "none"
	case book.EndCut, book.EndReset, book.EndOpen:
		return "aborted"
	}
	return "aborted"
}

// lacking gives what a statement's needs and an evaluation's error lack.
func lacking(errs ...error) []string {
	var what []string
	for _, err := range errs {
		if m := (missing{}); errors.As(err, &m) {
			what = append(what, m.what)
		}
	}
	slices.Sort(what)
	return slices.Compact(what)
}

func list(items []string) string { return strings.Join(items, ", ") }
