package transport

import "slices"

// unlisted tells whether c leads to an address that the endpoint's name no
// longer has. The caller holds mu.
func (p *Pool) unlisted(c *conn) bool {
	return p.names != nil && !slices.Contains(p.names.list, c.addr)
}

// retireUnlisted closes idle connections to addresses that the endpoint's name
// no longer has. Those in use are closed when they come back.
func (p *Pool) retireUnlisted() {
	var old []*conn
	p.mu.Lock()
	p.idle = slices.DeleteFunc(p.idle, func(c *conn) bool {
		gone := p.unlisted(c)
		if gone {
			old = append(old, c)
		}
		return gone
	})
	p.slots -= len(old) // nobody waits while there are idle connections
	p.ready()
	p.mu.Unlock()
	closeAll(old)
	if p.mux == nil {
		return
	}
	p.mux.mu.Lock()
	conns := slices.Clone(p.mux.conns)
	p.mux.mu.Unlock()
	for _, c := range conns {
		p.mux.retireUnlisted(c)
	}
}

// retireUnlisted is Pool.retireUnlisted for one connection.
func (m *mux) retireUnlisted(c *muxConn) {
	m.p.mu.Lock()
	gone := m.p.unlisted(c.conn)
	m.p.mu.Unlock()
	if gone {
		m.retire(c)
	}
}
