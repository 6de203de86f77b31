package ledger

import "gauntlet/fixtures/book"

// fit says how an answer that ended cleanly at the client compares to one that
// a backend wrote to the same exchange. An exchange may have been answered by
// several attempts; the most innocent explanation holds, so the order is from
// none to most innocent.
type fit uint8

const (
	noFit    fit = iota // not that answer at all
	renamed             // its payload under another status
	changed             // its status with another payload
	part                // its beginning, or all of an answer that is not whole
	faithful            // that answer, whole
)

// compare says how the client's clean answer compares to the one an attempt got.
func compare(c *book.Client, a *book.Arrival, d *book.Departure) fit {
	if d.Flags&book.AnswerBegun == 0 || d.Status == 0 {
		return noFit
	}
	whole := d.Flags&book.AnswerWhole != 0
	same := c.RespBytes == d.RespBytes && (c.RespBytes == 0 || c.RespSum == d.RespSum)
	if c.Status != d.Status {
		if same && whole && c.RespBytes > 0 {
			return renamed
		}
		return noFit
	}
	switch {
	case c.Status == 101:
		return faithful // what a tunnel carried is for expectations to compare
	case bodiless(c, a):
		same = true
	case !ours(c) && !(same && (whole || c.RespBytes > 0)):
		return noFit // nothing says that this answer came from a backend
	}
	switch {
	case same && whole:
		return faithful
	case same || c.RespBytes < d.RespBytes && startsAlike(c, d):
		return part
	}
	return changed
}

// framed says how the client's clean answer compares to one whose body the
// target was told to change: by its head, and by whether there was an end. A real
// backend echoes no id in its head.
func framed(c *book.Client, d *book.Departure, tapped bool) fit {
	switch {
	case d.Flags&book.AnswerBegun == 0 || c.Status != d.Status || c.Flags&book.Echoed == 0 && !tapped:
		return noFit
	case d.Flags&book.AnswerWhole == 0:
		return part
	}
	return faithful
}

// bodiless reports whether the client's answer has no body whatever the
// backend's had (RFC 9112 §6.3 items 1 and 2). A proxy may turn a HEAD into a
// GET of its own.
func bodiless(c *book.Client, a *book.Arrival) bool {
	return c.Method == book.HEAD || a.Method == book.HEAD || c.Status == 204 || c.Status == 304
}

// tagged is how many bytes of a generated body name its exchange; see
// exchange.Fill.
const tagged = 41

// ours reports whether the answer proves that it was made for this exchange: by
// the id it echoes, or by a generated body that names it.
func ours(c *book.Client) bool {
	return c.Flags&book.Echoed != 0 || c.RespBad == -1 && c.RespBytes >= tagged
}

// startsAlike reports whether the client's shorter body can be the beginning of
// the backend's: both deviate from the generated body at the same place, or the
// backend's only beyond what the client has. Where neither is generated there is
// no telling, and part is the smaller charge.
func startsAlike(c *book.Client, d *book.Departure) bool {
	if c.RespBad == -1 {
		return d.RespBad == -1 || d.RespBad >= c.RespBytes
	}
	return d.RespBad == c.RespBad
}

// answered reports whether any attempt began a final answer.
func (f *facts) answered() bool {
	for _, t := range f.tries {
		if t.Departure != nil && t.Departure.Flags&book.AnswerBegun != 0 && t.Departure.Status != 0 {
			return true
		}
	}
	return false
}

// foreignByBackend reports whether a backend itself wrote the body that names
// another exchange: it deviates from the generated one at the same place.
func (f *facts) foreignByBackend() bool {
	for _, t := range f.tries {
		if d := t.Departure; d != nil && d.Flags&book.AnswerBegun != 0 && d.RespBad >= 0 && d.RespBad == f.client.RespBad {
			return true
		}
	}
	return false
}
