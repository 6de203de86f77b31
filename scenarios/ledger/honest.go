package ledger

import "gauntlet/fixtures/book"

// candour says in which way a failure was honest.
type candour uint8

const (
	dishonest candour = iota
	ourFault          // a fault of ours on the client's own connection ended or held it
	refused           // the connection was never made
	ownBreak          // the client's script broke its own request
	said              // the proxy answered for itself
	coded             // the proxy ended the stream, or its connection, with an error code
	visible           // an answer that had begun was cut where the client could see it
)

// candour gives the way in which the exchange failed honestly, if it did. It is
// asked only of exchanges that were not delivered.
func (f *facts) candour() candour {
	if !f.weighed {
		f.way, f.weighed = f.weigh(), true
	}
	return f.way
}

func (f *facts) weigh() candour {
	c := f.client
	broken := c.End == book.EndCut || c.End == book.EndReset || c.End == book.EndMalformed
	switch {
	case c.End == book.EndRefused:
		return refused
	case c.End == book.EndTimeout && f.held(), broken && f.clientCut():
		return ourFault
	case f.dropped():
		return dishonest
	case f.told():
		return said
	case broken && f.head && (f.arrived() || !f.complete() || f.tapped() || c.Status >= 300):
		return visible
	case broken && !f.head && c.Code > 1: // not NO_ERROR, which says that nothing is wrong
		return coded
	case broken && f.has(book.Scripted|book.Plain) && !f.has(book.SentAll):
		return ownBreak
	}
	return dishonest
}

// told reports whether the client read a head by which the proxy says for
// itself that the request failed (4xx, 5xx), belongs elsewhere (3xx), or, for
// OPTIONS and TRACE, that it answers in the backend's stead (RFC 9110 §7.6.2).
func (f *facts) told() bool {
	c := f.client
	if !f.head || !f.clean && f.has(book.Echoed) {
		return false
	}
	own := c.Method == book.OPTIONS || c.Method == book.TRACE
	return c.Status >= 300 || own && !f.has(book.Echoed) && c.Status >= 200
}

// interrupted reports whether nothing but the closing of an idle connection
// explains an empty reply: no byte went either way but the request, on a
// connection that had been idle long enough for its timeout to fire.
func (f *facts) interrupted() bool {
	c := f.client
	if f.head || c.FirstByte != 0 || c.Interim != 0 || f.arrived() || !f.complete() || c.Nth <= 1 {
		return false
	}
	p := f.ledger.before.of(f.ledger, c)
	return p != nil && p.Ended != 0 && c.Started-p.Ended >= idle
}

// idle is the shortest idle time of a client's connection after which its
// closing can be a timeout of the proxy that met the next request half-way,
// which HTTP/1.1 cannot prevent (RFC 9112 §9.5). After shorter ones the proxy had
// an answer on which to announce it (RFC 9112 §9.6).
const idle = int64(1e9)

// lazyBefore finds the exchange that preceded one on the same connection. Only
// Join uses it, and drops it at its end.
type lazyBefore struct{ at map[uint64]uint32 }

func (b *lazyBefore) of(l *Ledger, c *book.Client) *book.Client {
	clients := l.books.Client.Clients
	if b.at == nil {
		b.at = make(map[uint64]uint32, len(clients))
		for i := range clients {
			b.at[place(clients[i].Conn, clients[i].Nth)] = uint32(i)
		}
	}
	if i, ok := b.at[place(c.Conn, c.Nth-1)]; ok {
		return &clients[i]
	}
	return nil
}
