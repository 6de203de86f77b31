package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gauntlet/fixtures/book"
)

// judge gives every exchange sent its outcome, and counts.
func (l *Ledger) judge() error {
	f := facts{ledger: l}
	clients := l.books.Client.Clients
	for i := range clients { // in the order of the book, which is that of memory
		s := &l.seats[clients[i].Seq]
		if !s.sent {
			continue
		}
		f.read(s)
		if len(f.tries) > 1 {
			if err := distinct(f.tries); err != nil {
				return err
			}
		}
		l.decide(s, &f)
	}
	l.served, l.before = lazyServed{}, lazyBefore{}
	return nil
}

func (l *Ledger) decide(s *seat, f *facts) {
	if f.has(book.Surplus) {
		l.outside.surplus++
	}
	for i := range rules {
		if !rules[i].match(f) {
			continue
		}
		s.rule = uint8(i + 1)
		l.counts[rules[i].outcome]++
		if rules[i].name == unread {
			l.unread++
		}
		switch o := rules[i].outcome; {
		case o.Failed() && f.avoidable(), o.Damaged() && f.unavoidable(o):
			s.mark = avoidable
			if o.Damaged() {
				s.mark = unavoidable
			}
			l.marks[s.mark]++
		}
		return
	}
}

// distinct refuses two arrivals of one request: a backend numbers them.
func distinct(tries []Attempt) error {
	sorted := tries
	if len(tries) > 2 {
		sorted = slices.SortedFunc(slices.Values(tries), byPlace)
	}
	for i := range sorted[1:] {
		if byPlace(sorted[i], sorted[i+1]) == 0 {
			a := sorted[i].Arrival
			return fmt.Errorf("%w: backend %d: two arrivals of request %d on connection %d", ErrBooks, a.Backend, a.Nth, a.Conn)
		}
	}
	return nil
}

// why says what the rule found, and what both sides of it have on record.
func (f *facts) why(r *rule) string {
	var b strings.Builder
	b.WriteString(r.because)
	if c := f.client; c.Foreign != 0 {
		fmt.Fprintf(&b, " (number %d)", c.Foreign)
	}
	fmt.Fprintf(&b, "; the client: %s", f.clientSays())
	for _, t := range f.tries {
		fmt.Fprintf(&b, "; backend %d: %s", t.Arrival.Backend, t.says())
	}
	return b.String()
}

func (f *facts) clientSays() string {
	c := f.client
	took := time.Duration(c.Ended - c.Started).Round(10 * time.Microsecond)
	end := c.End.String()
	if reason := c.Reason(); reason != "" {
		end += " " + reason
	}
	if c.Status == 0 {
		return fmt.Sprintf("no status, ended by %s after %v", end, took)
	}
	return fmt.Sprintf("%d with %d bytes, ended by %s after %v", c.Status, c.RespBytes, end, took)
}

// says tells what a backend's book holds of the attempt, in a few words.
func (t Attempt) says() string {
	a, d := t.Arrival, t.Departure
	request := "saw part of the head"
	switch {
	case t.uploaded().whole:
		request = fmt.Sprintf("had the request whole with %d bytes", t.uploaded().bytes)
	case a.Flags&book.HeadWhole != 0:
		request = fmt.Sprintf("had the head and %d bytes", a.ReqBytes)
	}
	switch {
	case d == nil:
		return request + ", its answer is not on record"
	case d.Flags&book.AnswerBegun == 0 || d.Status == 0:
		return fmt.Sprintf("%s, gave no answer, ended by %s", request, d.End)
	case d.Flags&book.AnswerWhole == 0:
		return fmt.Sprintf("%s, answered %d with %d bytes and broke off by %s", request, d.Status, d.RespBytes, d.End)
	}
	return fmt.Sprintf("%s, answered %d whole with %d bytes", request, d.Status, d.RespBytes)
}
