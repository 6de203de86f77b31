package transport

import "slices"

// cull closes idle connections that can serve no more, which without it are
// found only when they are given out: those kept ready would be worth nothing
// behind a server that closes what is silent sooner than we do.
func (p *Pool) cull() {
	var suspects []*conn
	p.mu.Lock()
	p.idle = slices.DeleteFunc(p.idle, func(c *conn) bool {
		quiet, _ := c.peek.quiet()
		if !quiet {
			suspects = append(suspects, c) // with its slot
		}
		return !quiet
	})
	p.mu.Unlock()
	for _, c := range suspects { // TLS may take its time, see alive
		if c.alive() {
			p.putBack(c)
		} else {
			p.discard(c)
		}
	}
}

// putBack returns a connection that was taken out of the idle ones and not
// used.
func (p *Pool) putBack(c *conn) {
	p.mu.Lock()
	if p.closed || p.unlisted(c) {
		p.mu.Unlock()
		p.discard(c)
		return
	}
	defer p.mu.Unlock()
	if e := p.waiting.Front(); e != nil {
		p.waiting.Remove(e).(*waiter).grant <- grant{c: c}
		return
	}
	i := slices.IndexFunc(p.idle, func(o *conn) bool { return o.idleSince.After(c.idleSince) })
	if i < 0 {
		i = len(p.idle)
	}
	p.idle = slices.Insert(p.idle, i, c)
	p.wakeFor(c, c.idleSince)
}
