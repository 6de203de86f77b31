// Package pipe moves bytes from one TCP connection to another within the
// kernel (splice(2)), so that a proxy copies none of them. It knows nothing of
// HTTP, and what an error means to an exchange is not its business: it says
// which of the two connections had it. Where the kernel cannot do it no pipe
// is to be had, and callers copy.
package pipe

import "sync"

// Pool is a bounded number of kernel pipes, each of two descriptors. Close it.
type Pool struct {
	mu     sync.Mutex
	idle   []*Pipe
	left   int   // pipes that may still be opened
	moved  int64 // bytes, by pipes that were given back
	closed bool
}

// spare is how many pipes are kept while nobody needs them.
const spare = 2

// NewPool returns a pool of at most limit pipes, or as many as take an eighth
// of the descriptors the process may have. None is open yet.
func NewPool(limit int) *Pool { return &Pool{left: min(limit, descriptors()/16)} }

// Get returns an empty pipe, to be given back with Put, or nil when all are in
// use or none can be had.
func (p *Pool) Get() *Pipe {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		one := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return one
	}
	if p.left <= 0 || p.closed {
		return nil
	}
	one := open()
	if one != nil {
		p.left--
	}
	return one
}

// Put gives a pipe back. One that still holds bytes is closed with them.
func (p *Pool) Put(one *Pipe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved += one.moved
	one.moved = 0
	if one.held == 0 && !p.closed && len(p.idle) < spare {
		p.idle = append(p.idle, one)
		return
	}
	one.close()
	p.left++
}

// Moved is how many bytes have passed through the pipes that were given back.
func (p *Pool) Moved() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moved
}

// Close closes the pipes that nobody uses; the others are closed when they are
// given back. Get then returns nil.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.idle {
		one.close()
		p.left++
	}
	p.idle = nil
}
