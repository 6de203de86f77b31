package transport

import "time"

// idleLimit is how long c may stay idle, 0 for ever: the pool's own limit, or
// less when the server has said so.
func (p *Pool) idleLimit(c *conn) time.Duration {
	switch own := p.cfg.IdleTimeout; {
	case own <= 0:
		return c.keep
	case c.keep <= 0:
		return own
	default:
		return min(own, c.keep)
	}
}

func (p *Pool) expired(c *conn, now time.Time) bool {
	limit := p.idleLimit(c)
	return limit > 0 && now.Sub(c.idleSince) >= limit
}

// wakeFor makes sure that the janitor wakes by the time c expires. The caller
// holds mu.
func (p *Pool) wakeFor(c *conn, now time.Time) {
	limit := p.idleLimit(c)
	if limit <= 0 || p.closed {
		return
	}
	at := c.idleSince.Add(limit)
	if !p.sweepAt.IsZero() && !at.Before(p.sweepAt) {
		return
	}
	p.sweepAt = at
	if p.janitor == nil {
		p.janitor = time.AfterFunc(at.Sub(now), p.sweep)
		return
	}
	p.janitor.Reset(at.Sub(now))
}

// sweep closes what has expired.
func (p *Pool) sweep() {
	now := time.Now()
	p.mu.Lock()
	p.sweepAt = time.Time{}
	var old []*conn
	kept := p.idle[:0]
	for _, c := range p.idle {
		if p.expired(c, now) {
			old = append(old, c)
			continue
		}
		kept = append(kept, c)
		p.wakeFor(c, now)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	p.slots -= len(old)
	p.ready()
	p.mu.Unlock()
	closeAll(old)
}
