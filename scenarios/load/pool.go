package load

import (
	"sync"

	"gauntlet/scenarios/wire"
)

// pool keeps idle connections, the last used on top. It never holds more than
// there are workers, since each worker has one connection at a time.
type pool struct {
	mu    sync.Mutex
	conns []*wire.Conn
}

func (p *pool) put(c *wire.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
}

// take gives a connection to the caller, nil when there is none.
func (p *pool) take() *wire.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.conns) == 0 {
		return nil
	}
	c := p.conns[len(p.conns)-1]
	p.conns = p.conns[:len(p.conns)-1]
	return c
}

// close closes every connection, which hands over their last records.
func (p *pool) close() {
	for c := p.take(); c != nil; c = p.take() {
		c.Close()
	}
}
