package ledger

import "gauntlet/fixtures/book"

// An upload as one attempt's backend saw it in the end.
type upload struct {
	whole bool
	bytes int64
	bad   int64
	sum   uint64
}

// uploaded gives the request body as the backend saw it. An arrival is recorded
// before the answer; a body that came later is whole in the departure.
func (t Attempt) uploaded() upload {
	a, d := t.Arrival, t.Departure
	if a.Flags&book.BodyWhole == 0 && d != nil && d.Flags&book.BodyWhole != 0 {
		return upload{true, d.ReqBytes, d.ReqBad, d.ReqSum}
	}
	return upload{a.Flags&book.HeadWhole != 0 && a.Flags&book.BodyWhole != 0, a.ReqBytes, a.ReqBad, a.ReqSum}
}

// harm says what was done to a request body that a backend took as whole.
type harm uint8

const (
	unharmed harm = iota
	cutShort      // it ends before the client's did
	altered       // it is not what the client sent
)

// harmed compares a body that a backend took as whole with what the client
// sent. A body that equals what the client meant to send is never harmed,
// whatever the client's own count says of a writer that was interrupted; and of
// what is no request by our own reading, a lenient one may make any.
func harmed(c *book.Client, u upload) harm {
	if !u.whole || c.Flags&book.Garbled != 0 {
		return unharmed
	}
	generated := c.Flags&book.Plain == 0
	if c.Flags&book.SentAll == 0 {
		switch {
		case generated && u.bytes > 0 && u.bad >= 0:
			return altered
		case u.bytes < c.ReqBytes:
			return cutShort
		case c.Flags&(book.Plain|book.Scripted) != 0 && u.bytes > 0 && u.bytes <= c.ReqSent:
			return cutShort // the script ended its request early, and the proxy ended it for the script
		}
		return unharmed
	}
	switch {
	case u.bytes == c.ReqSent && (u.bytes == 0 || u.sum == c.ReqSum):
		return unharmed
	case u.bytes < c.ReqSent && (u.bytes == 0 || !generated || u.bad < 0):
		return cutShort
	}
	return altered
}

// worst gives the worst harm done to the exchange's request body.
func (f *facts) worst() (worst harm) {
	for _, t := range f.tries {
		worst = max(worst, harmed(f.client, t.uploaded()))
	}
	return worst
}

// repeatable are the statuses after which RFC 9110 and RFC 8470 let a client
// send any request again: the server says that it did not act on it.
func repeatable(status uint16) bool {
	switch status {
	case 408, // RFC 9110 §15.5.9
		417, // RFC 9110 §10.1.1: repeat without the expectation
		421, // RFC 9110 §15.5.20
		425: // RFC 8470 §5.2
		return true
	}
	return false
}

// ran reports whether the backend acted on the request, as far as a client may
// assume: it had it whole, or began a final answer to it, and did not say that it
// refused, by a status or by HTTP/2's own means. Of an attempt whose departure is not on record nobody knows what it said.
func (t Attempt) ran() bool {
	a, d := t.Arrival, t.Departure
	if d == nil || a.Flags&book.HeadWhole == 0 || d.Flags&book.Unprocessed != 0 || repeatable(d.Status) {
		return false
	}
	return t.uploaded().whole || d.Flags&book.AnswerBegun != 0 && d.Status != 0
}

// mayHaveRun reports whether only a missing departure keeps ran from being told.
func (t Attempt) mayHaveRun() bool {
	return t.ran() || t.Departure == nil && t.uploaded().whole
}

// count counts the attempts of which a thing is true.
func (f *facts) count(is func(Attempt) bool) int {
	n := 0
	for _, t := range f.tries {
		if is(t) {
			n++
		}
	}
	return n
}
