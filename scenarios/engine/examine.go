package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"gauntlet/fixtures/book"
	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/ledger"
	"gauntlet/scenarios/otlp"
)

// judged is what the evidence of one case amounts to.
type judged struct {
	facts    *expect.Facts
	findings []expect.Finding
}

// examine judges one case from its evidence alone.
func examine(dir evidence.Dir, c *scenarios.Case, facts *evidence.Case) (*judged, error) {
	books, err := readBooks(dir, facts)
	if err != nil {
		return nil, err
	}
	joined, err := ledger.Join(books)
	if err != nil {
		return nil, err
	}
	f := &expect.Facts{Case: facts, Books: books, Ledger: joined}
	if err := readSpans(dir, f); err != nil {
		return nil, err
	}
	j := &judged{facts: f, findings: c.Judge(f)}
	if joined.Sent() == 0 {
		j.acquit()
	}
	return j, nil
}

// acquit takes every accusation back: where nothing was sent, nothing that the
// target did was seen, and a statement that does not hold says nothing of it.
func (j *judged) acquit() {
	for i := range j.findings {
		if f := &j.findings[i]; f.Verdict == reports.Fail || f.Verdict == reports.Exposed {
			f.Verdict, f.Message = reports.Invalid, "cannot be told: no exchange was sent"
		}
	}
}

// readBooks reads the books there are; a backend book that is gone is a nil.
func readBooks(dir evidence.Dir, c *evidence.Case) (ledger.Books, error) {
	ref := c.Ref()
	b := ledger.Books{Run: c.Run}
	var err error
	if b.Client, err = book.Read(dir.ClientBook(ref)); err != nil {
		return b, err
	}
	for n := 1; n <= c.Backends; n++ {
		one, err := book.Read(dir.BackendBook(ref, n))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
		b.Backends = append(b.Backends, one)
	}
	if len(c.Faults) == 0 {
		return b, nil
	}
	if b.Faults, err = book.Read(dir.FaultBook(ref)); errors.Is(err, fs.ErrNotExist) {
		b.Faults, err = &book.Book{Header: book.Header{Kind: book.FaultBook, Run: c.Run}}, nil
	}
	return b, err
}

// readSpans adds what the target's traces say, if it exports any.
func readSpans(dir evidence.Dir, f *expect.Facts) error {
	if !slices.Contains(f.Case.Target.Telemetry, expect.Traces) {
		return nil
	}
	spans, err := otlp.ReadSpans(dir.Spans(f.Case.Ref()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read spans: %w", err)
	}
	if !spans.Complete {
		return nil
	}
	f.Attempts = map[uint64][]expect.Attempt{}
	for seq, list := range otlp.Attempts(spans, f.Case.Run) {
		for _, a := range list {
			f.Attempts[seq] = append(f.Attempts[seq], expect.Attempt{ErrorType: a.ErrorType, Phase: a.Phase, Reason: a.Reason, Endpoint: a.Endpoint, Resend: a.Resend})
		}
	}
	f.Events = otlp.Events(spans)
	return nil
}
