package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// order gives the addresses in the order in which a dial tries them: in turn,
// with those last that others could not connect to.
func (n *names) order() ([]netip.Addr, error) {
	n.p.mu.Lock()
	defer n.p.mu.Unlock()
	switch {
	case len(n.list) > 0:
	case n.err != nil:
		return nil, n.err
	default: // closed before the first answer
		return nil, ErrPoolClosed
	}
	k := n.turn % len(n.list)
	n.turn++
	var good, bad []netip.Addr
	for _, a := range append(slices.Clone(n.list[k:]), n.list[:k]...) {
		if slices.Contains(n.failed, a) {
			bad = append(bad, a)
		} else {
			good = append(good, a)
		}
	}
	return append(good, bad...), nil
}

// dial connects to the first address that takes it, each in an equal share of
// the time that is left.
func (n *names) dial(ctx context.Context) (net.Conn, netip.Addr, error) {
	select {
	case <-n.asked:
	case <-n.done: // the pool closes
		return nil, netip.Addr{}, ErrPoolClosed
	case <-ctx.Done():
		return nil, netip.Addr{}, ctx.Err()
	}
	list, err := n.order()
	if err != nil {
		return nil, netip.Addr{}, fmt.Errorf("looking up %s: %w", n.host, err)
	}
	var failure error
	for i, a := range list {
		c, err := n.share(ctx, a, len(list)-i)
		if err == nil {
			return c, a, nil
		}
		if failure == nil {
			failure = err
		}
		if ctx.Err() != nil {
			break
		}
		n.note(a)
	}
	return nil, netip.Addr{}, failure
}

func (n *names) share(ctx context.Context, a netip.Addr, among int) (net.Conn, error) {
	if until, ok := ctx.Deadline(); ok && among > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(until)/time.Duration(among))
		defer cancel()
	}
	return n.p.cfg.Dial(ctx, "tcp", net.JoinHostPort(a.String(), n.port))
}

// note remembers that an address could not be connected to.
func (n *names) note(a netip.Addr) {
	n.p.mu.Lock()
	defer n.p.mu.Unlock()
	if !slices.Contains(n.failed, a) && slices.Contains(n.list, a) {
		n.failed = append(n.failed, a)
	}
}
