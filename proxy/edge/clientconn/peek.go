package clientconn

// Peek waits for bytes until it has n or those that came are no beginning of
// want, and returns them; they will be read again. It is for the time before
// the connection is handed to a server. The read deadline set before bounds it.
func (c *Conn) Peek(want string) (string, error) {
	buf := make([]byte, len(want))
	got := 0
	for got < len(want) && string(buf[:got]) == want[:got] {
		n, err := c.raw.Read(buf[got:])
		if got += n; err != nil {
			return "", err
		}
		c.mu.Lock()
		c.busy = true
		c.early = buf[:got]
		c.mu.Unlock()
		c.set.changed()
	}
	return string(buf[:got]), nil
}

// Arrive waits for the client's first byte, which will be read again.
func (c *Conn) Arrive() error {
	_, err := c.Peek("\x16") // how TLS begins; any other byte ends the wait, too
	return err
}

// takeEarly moves what Peek has read to p.
func (c *Conn) takeEarly(p []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(p, c.early)
	if c.early = c.early[n:]; len(c.early) == 0 {
		c.early = nil
	}
	return n
}

// rest says that no request is on its way.
func (c *Conn) rest() {
	c.mu.Lock()
	c.busy = false
	c.mu.Unlock()
	c.set.changed()
}
