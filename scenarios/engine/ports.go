package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// errNoPort says that no port of our range could be bound.
var errNoPort = errors.New("no free port between 20000 and 31999")

// ports gives out loopback ports below the kernel's ephemeral range, so that
// no outgoing connection takes one between choosing and listening. It starts at
// a random place, so that two harnesses on one machine rarely meet.
type ports struct {
	mu   sync.Mutex
	next int
}

const (
	firstPort = 20000
	portCount = 12000
)

func newPorts() *ports { return &ports{next: rand.IntN(portCount)} }

// address gives a host:port on loopback that was free a moment ago and that it
// gives to nobody else for the next 12,000 calls.
func (p *ports) address() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range portCount {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+p.next))
		p.next = (p.next + 1) % portCount
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return "", fmt.Errorf("choose a port: %w", err)
		}
		return addr, nil
	}
	return "", errNoPort
}
