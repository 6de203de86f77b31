package ledger

import "gauntlet/fixtures/book"

// facts are what the rules ask about one exchange. They are read anew for each
// exchange; the slices are reused.
type facts struct {
	ledger *Ledger
	client *book.Client
	tries  []Attempt

	clean  bool     // the client could believe that the answer was whole
	head   bool     // the final answer's head was received whole
	fit    fit      // how the client's answer compares to what backends wrote
	by     *Attempt // the attempt that fit speaks of
	silent bool     // an attempt has no departure on record
	unread bool     // an attempt's answer is one that our reader refuses
	dim    bool     // a backend's book broke off and may lack something about this exchange

	way     candour // how it failed honestly; valid once weighed
	weighed bool
}

func (f *facts) read(s *seat) {
	f.client = &f.ledger.books.Client.Clients[s.client-1]
	f.tries = f.ledger.gather(f.tries[:0], s)
	f.clean = f.client.End.Clean()
	f.head = f.clean || f.client.Flags&book.WholeHead != 0
	f.dim = f.ledger.dusk && f.ledger.mayLack(f.client)
	f.fit, f.by, f.silent, f.unread, f.weighed = noFit, nil, false, false, false
	for i := range f.tries {
		d := f.tries[i].Departure
		if d == nil {
			f.silent = true
			continue
		}
		if d.Status == 0 && d.End == book.EndMalformed {
			f.unread = true // a lenient target may have read more of it than we do (RFC 9112 §5.1)
		}
		if f.clean {
			if got := f.fits(&f.tries[i]); got > f.fit {
				f.fit, f.by = got, &f.tries[i]
			}
		}
	}
}

// tapped reports whether the backends are real ones behind taps.
func (f *facts) tapped() bool { return f.ledger.books.Tapped }

// cutBehind reports whether the client took for whole what it has of an answer that
// a real backend broke off, and nobody else can have given it: the bytes are those
// that the tap saw, and the target read on to the end.
func (f *facts) cutBehind() bool {
	d := f.by.Departure
	return d.Flags&(book.AnswerWhole|book.PeerGone) == 0 && d.RespBytes > 0 && f.client.RespBytes == d.RespBytes && f.client.RespSum == d.RespSum
}

func (f *facts) has(flag book.ClientFlags) bool { return f.client.Flags&flag != 0 }

// complete reports whether every backend's book says all there is to say about
// this exchange, so that what none of them holds did not happen.
func (f *facts) complete() bool { return !f.ledger.dark && !f.dim }

// explicable reports whether a record we lack might explain the client's answer.
// A killed backend has recorded every request that it answered, but a book can
// break off for other reasons, such as a full disk; and a fault may have changed
// the answer.
func (f *facts) explicable() bool { return f.unrecorded() || f.unread }

// claims reports whether the client got for a backend's answer, whole, what is
// not that of any on record.
func (f *facts) claims() bool {
	return f.clean && f.fit != faithful && (f.has(book.Echoed) || f.client.Status < 300)
}

// unrecorded reports whether a record is missing that might hold that answer.
func (f *facts) unrecorded() bool { return !f.complete() || f.silent || f.ledger.links.dark }

// arrived reports whether any backend saw anything of the request.
func (f *facts) arrived() bool { return len(f.tries) > 0 }

// neverRan reports whether the request provably never reached a backend.
func (f *facts) neverRan() bool { return !f.arrived() && f.complete() }

// lifetime is what is known of one backend whose book has no seal.
type lifetime struct {
	last int64 // its last sign of life
	died int64 // when it was known to be dead; 0 unknown
}

// lag is how long before its last sign of life a backend may have left an
// ended exchange unrecorded: it appends an arrival before it answers or when the
// connection ends, and notices both at once unless it pauses.
const lag = int64(1e9)

// live notes which books are missing or unsealed, and how long their backends
// are known to have lived.
func (l *Ledger) live() {
	l.dark = len(l.books.Backends) == 0 // nobody knows what was behind the target
	for i, b := range l.books.Backends {
		if b == nil {
			l.dark = true
			continue
		}
		if b.Sealed {
			continue
		}
		l.dusk = true
		var t lifetime
		if i < len(l.books.Died) {
			t.died = l.books.Died[i]
		}
		t.last = lastSign(b)
		l.life = append(l.life, t)
	}
	for _, b := range l.books.Broken {
		l.dusk = true
		l.life = append(l.life, lifetime{last: b.Last, died: b.Died})
	}
}

// mayLack reports whether a backend whose book broke off may have seen the
// exchange without a record of it.
func (l *Ledger) mayLack(c *book.Client) bool {
	for _, t := range l.life {
		if (t.died == 0 || c.Started <= t.died) && c.Ended >= t.last-lag {
			return true
		}
	}
	return false
}
