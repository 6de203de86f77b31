// Package ports gives out loopback ports on which a program is about to listen
// that is told its address beforehand. What can listen by itself takes port 0
// and needs none of them.
package ports

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// ErrNone says that no port of our range could be had.
var ErrNone = errors.New("no free port between 20000 and 31999")

// Ports gives out loopback ports below the kernel's ephemeral range, so that
// no outgoing connection takes one between choosing and listening. Each holds
// a block of its own, claimed by the name of an abstract socket, so that two
// harnesses on one machine, or two runs in one process, never meet; the claim
// ends with its holder, however that ends.
type Ports struct {
	claim net.Listener
	first int

	mu   sync.Mutex
	next int
}

const (
	firstPort = 20000
	blockSize = 200
	blocks    = 60
)

// Claim claims a block. Whoever claims it closes it. The error wraps ErrNone when
// every block is taken.
func Claim() (*Ports, error) {
	for n := range blocks {
		claim, err := net.Listen("unix", "@gauntlet-ports-"+strconv.Itoa(n))
		if err == nil {
			return &Ports{claim: claim, first: firstPort + n*blockSize}, nil
		}
	}
	return nil, fmt.Errorf("%w: every block is claimed", ErrNone)
}

// Close gives the block up.
func (p *Ports) Close() error { return p.claim.Close() }

// Address gives a host:port on loopback that was free a moment ago and that it
// gives to nobody else for the next calls.
func (p *Ports) Address() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range blockSize {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.first+p.next))
		p.next = (p.next + 1) % blockSize
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return "", fmt.Errorf("choose a port: %w", err)
		}
		return addr, nil
	}
	return "", ErrNone
}
