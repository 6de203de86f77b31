package transport

import "time"

// ticketGrace is how long a check-out waits for a TLS record that has begun to
// arrive on an idle connection.
const ticketGrace = 2 * time.Millisecond

// alive tells, at check-out, whether an idle connection can be given out: the
// peer has neither closed it (RFC 9112 §9.5) nor sent bytes that no request
// asked for (RFC 9112 §9.2). It does not wait, save for TLS when a record has
// arrived, which may be a session ticket.
func (c *conn) alive() bool {
	if c.br.len() > 0 {
		return false
	}
	quiet, pending := c.peek.quiet()
	if c.tls == nil {
		return quiet
	}
	if !quiet && !pending {
		return false
	}
	// What is left under the record layer shows itself even when the deadline
	// has passed; a timeout does not harm the TLS connection.
	deadline := past()
	if pending {
		deadline = time.Now().Add(ticketGrace)
	}
	c.setReadDeadline(deadline)
	var one [1]byte
	n, err := c.tls.Read(one[:])
	c.setReadDeadline(time.Time{})
	return n == 0 && isTimeout(err)
}

// reusable tells, at check-in, whether the connection may serve again.
func (c *conn) reusable() bool {
	if c.br.len() > 0 || !c.clearDeadlines() {
		return false
	}
	c.br.trim()
	c.bodyIdle = 0
	return true
}
