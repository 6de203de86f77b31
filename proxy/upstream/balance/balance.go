// Package balance chooses which endpoint of an upstream gets a try. Each
// policy is a small type that sees the endpoints it may choose from, and
// nothing of why others are missing: liveness, breakers and slow start are the
// caller's business. It opens no connection and starts no goroutine.
package balance

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A Policy chooses. It is safe for concurrent use, and Choose allocates
// nothing.
type Policy interface {
	// Choose gives the index of one of nodes, which are never empty and are
	// not kept. Again says that an earlier choice for the same try could not
	// be used and has been taken out of nodes.
	Choose(nodes []*Node, req *http.Request, again bool) int
	// Counts tells whether Choose reads the loads of nodes, which their
	// owner must then keep with Begin and End.
	Counts() bool
}

// A Marker is a Policy that tells the client which node served it. Mark may
// add to h, the header of the response that n gave to req.
type Marker interface {
	Mark(req *http.Request, n *Node, h http.Header)
}

// Node is one endpoint as policies see it. It outlives lists of endpoints, so
// that what a policy knows of it does.
type Node struct {
	address string
	hash    uint64
	weight  atomic.Int64
	load    atomic.Int64

	current int64 // of weighted, under its lock
	once    sync.Once
	token   string // of sticky
}

// NewNode makes a node; its weight is at least 1.
func NewNode(address string, weight int) *Node {
	n := &Node{address: address, hash: sum(address)}
	n.SetWeight(weight)
	return n
}

// Weight is the node's share, relative to the others'.
func (n *Node) Weight() int { return int(n.weight.Load()) }

// SetWeight changes it.
func (n *Node) SetWeight(weight int) { n.weight.Store(int64(max(weight, 1))) }

// Begin counts an exchange that the node serves, until End.
func (n *Node) Begin() { n.load.Add(1) }

// End ends what Begin counted.
func (n *Node) End() { n.load.Add(-1) }

// Load is the number of exchanges that the node serves.
func (n *Node) Load() int { return int(n.load.Load()) }

// Config describes a policy.
type Config struct {
	Policy  string  // one of Policies; "": round-robin
	Key     Key     // of hash
	Epsilon float64 // of hash: by how much a node's load may exceed its fair share; 0: by any amount
	Cookie  Cookie  // of sticky
	// Random gives random numbers; nil: math/rand/v2.
	Random func() uint64
}

// The names of the policies.
const (
	RoundRobin = "round-robin"
	Weighted   = "weighted"
	Least      = "least-connections"
	TwoChoices = "p2c"
	Hash       = "hash"
	Sticky     = "sticky"
)

// Policies lists the names, sorted.
func Policies() []string {
	return slices.Sorted(slices.Values([]string{RoundRobin, Weighted, Least, TwoChoices, Hash, Sticky}))
}

// New makes a policy. The error is about an unknown name or an incomplete
// cookie.
func New(cfg Config) (Policy, error) {
	if cfg.Random == nil {
		cfg.Random = rand.Uint64
	}
	switch cfg.Policy {
	case "", RoundRobin:
		return &roundRobin{}, nil
	case Weighted:
		return &weighted{}, nil
	case Least:
		return &least{}, nil
	case TwoChoices:
		return &twoChoices{random: cfg.Random}, nil
	case Hash:
		return &hashed{key: cfg.Key, epsilon: cfg.Epsilon}, nil
	case Sticky:
		return newSticky(cfg.Cookie)
	}
	return nil, fmt.Errorf("balance policy %q: want one of %s", cfg.Policy, strings.Join(Policies(), ", "))
}
