package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

const (
	lookupTimeout = 5 * time.Second
	lookupRetry   = time.Second // after a failure, unless Refresh is shorter
	mostAddresses = 64          // of one answer; the rest is left out
)

// DNS has a pool look up the name in Config.Endpoint at intervals, rather than
// leave that to each dial. An endpoint that is an address is never looked up.
type DNS struct {
	Refresh time.Duration // between lookups
	// Lookup gives the addresses of a host; nil is net.DefaultResolver. It
	// returns soon after ctx has ended.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Report is told of each lookup, one at a time; may be nil.
	Report func(Lookup)
}

// Lookup is what became of one lookup. After a failure the last good addresses
// stay in use.
type Lookup struct {
	Addresses []netip.Addr // in use from now on, sorted
	News      bool         // other addresses than before, or the first failure or success after the other
	Err       error
}

// ErrNoAddress is that an endpoint's name has no address. Attempts that fail
// for it fail with ErrConnect as well.
var ErrNoAddress = errors.New("the name of the endpoint has no address")

// names keeps the addresses of a pool's endpoint up to date.
type names struct {
	p          *Pool
	dns        DNS
	host, port string
	ctx        context.Context
	stop       context.CancelFunc
	done       chan struct{} // closed when run has returned
	asked      chan struct{} // closed when the first lookup is over

	// Guarded by Pool.mu.
	list   []netip.Addr // sorted; the last good answer
	failed []netip.Addr // could not be connected to since that answer
	turn   int          // of the address that the next dial begins with
	err    error        // of the last lookup
}

// newNames gives nil for a pool without names.
func newNames(p *Pool) *names {
	host, port, err := net.SplitHostPort(p.cfg.Endpoint)
	if p.cfg.DNS.Refresh <= 0 || err != nil {
		return nil
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	n := &names{p: p, dns: p.cfg.DNS, host: host, port: port, done: make(chan struct{}), asked: make(chan struct{})}
	if n.dns.Lookup == nil {
		n.dns.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	n.ctx, n.stop = context.WithCancel(context.Background())
	return n
}

// run looks up until the pool closes.
func (n *names) run() {
	defer close(n.done)
	for first := true; ; first = false {
		wait := n.dns.Refresh
		if !n.look(first) {
			wait = min(wait, lookupRetry)
		}
		if first {
			close(n.asked)
		}
		timer := time.NewTimer(wait)
		select {
		case <-n.ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// look makes one lookup and puts its answer in place.
func (n *names) look(first bool) bool {
	ctx, cancel := context.WithTimeout(n.ctx, lookupTimeout)
	defer cancel()
	answer, err := n.dns.Lookup(ctx, n.host)
	list := make([]netip.Addr, 0, len(answer))
	for _, a := range answer {
		list = append(list, a.Unmap())
	}
	slices.SortFunc(list, netip.Addr.Compare)
	list = slices.Compact(list)
	list = slices.Clip(list[:min(len(list), mostAddresses)])
	if err == nil && len(list) == 0 {
		err = ErrNoAddress
	}
	if n.ctx.Err() != nil {
		return false // the pool closes
	}
	p := n.p
	p.mu.Lock()
	before, failing := n.list, n.err != nil
	n.err = err
	changed := err == nil && !slices.Equal(before, list)
	if err == nil {
		n.list, n.failed = list, nil
	}
	inUse := n.list
	p.mu.Unlock()
	if changed && before != nil {
		p.retireUnlisted()
	}
	if n.dns.Report != nil {
		n.dns.Report(Lookup{Addresses: inUse, News: first || changed || failing != (err != nil), Err: err})
	}
	return err == nil
}
