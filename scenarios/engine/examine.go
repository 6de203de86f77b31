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
	f := &expect.Facts{Case: facts, Books: books, Ledger: joined, Table: len(c.Checks) > 0}
	spans, err := readSpans(dir, f)
	if err != nil {
		return nil, err
	}
	j := &judged{facts: f, findings: c.Judge(f)}
	telemetry, err := audited(dir, c, f, spans)
	if err != nil {
		return nil, err
	}
	j.findings = append(j.findings, telemetry...)
	switch {
	case joined.Sent() == 0:
		j.acquit("no exchange was sent")
	case len(facts.Gone) > 0 && !guilty(facts, joined):
		j.acquit(fmt.Sprintf("backend %d ended while nobody had asked it to", facts.Gone[0]))
	}
	return j, nil
}

// guilty reports whether the target did what no failure of ours excuses. A
// backend of ours that is gone delays, cuts and refuses; it makes nobody give an
// answer to the wrong client, alter one, or repeat what must not be repeated.
func guilty(facts *evidence.Case, l *ledger.Ledger) bool {
	return facts.Target.Crashed || l.Count(ledger.Crosswired)+l.Count(ledger.Corrupted)+l.Count(ledger.Duplicated) > 0
}

// acquit takes every accusation back: a statement that does not hold says
// nothing of the target where nothing that it did was seen, or where what it
// stood on failed.
func (j *judged) acquit(because string) {
	for i := range j.findings {
		if f := &j.findings[i]; f.Verdict == reports.Fail || f.Verdict == reports.Exposed {
			f.Verdict, f.Message = reports.Invalid, "cannot be told: "+because
		}
	}
}

// readBooks reads the books there are; a backend book that is gone is a nil.
func readBooks(dir evidence.Dir, c *evidence.Case) (ledger.Books, error) {
	ref := c.Ref()
	b := ledger.Books{Run: c.Run, Died: c.Died, Rewritten: c.Settings["upstream.rewrite.find"] != "", Tapped: c.Tier == evidence.ClientTap}
	var err error
	if b.Client, err = book.Read(dir.ClientBook(ref)); err != nil {
		return b, err
	}
	for n := 1; n <= c.Backends; n++ {
		one, broken, err := readLives(dir, c, n)
		if err != nil {
			return b, err
		}
		b.Backends, b.Broken = append(b.Backends, one), append(b.Broken, broken...)
	}
	if len(c.Faults) == 0 {
		return b, nil
	}
	if b.Faults, err = book.Read(dir.FaultBook(ref)); errors.Is(err, fs.ErrNotExist) {
		b.Faults, err = &book.Book{Header: book.Header{Kind: book.FaultBook, Run: c.Run}}, nil
	}
	return b, err
}

// readSpans adds what the target's traces say, if it exports any, and gives the
// spans.
func readSpans(dir evidence.Dir, f *expect.Facts) (*otlp.Briefs, error) {
	if !slices.Contains(f.Case.Target.Telemetry, expect.Traces) {
		return nil, nil
	}
	spans, err := otlp.ReadBriefs(dir.Spans(f.Case.Ref()), f.Case.Run)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !spans.Complete {
		return &spans, nil
	}
	f.Attempts = map[uint64][]expect.Attempt{}
	for seq, list := range spans.Attempts() {
		for _, a := range list {
			f.Attempts[seq] = append(f.Attempts[seq], expect.Attempt{ErrorType: a.ErrorType, Phase: a.Phase, Reason: a.Reason, Endpoint: a.Endpoint(), Resend: a.Resend})
		}
	}
	f.Events = spans.Events
	return &spans, nil
}
