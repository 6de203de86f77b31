package upstream

import (
	"errors"
	"fmt"
	"slices"
)

// Errors of Update and Drain.
var (
	ErrClosed          = errors.New("upstream is closed")
	ErrDuplicate       = errors.New("endpoint given twice")
	ErrUnknownEndpoint = errors.New("no such endpoint")
)

// Update replaces the list of endpoints. One whose address stays keeps its
// connections, breaker and everything that is known of it, and takes its new
// weight. One that is new must pass a check first, when there are checks, and
// starts slowly. One that is gone gets no new tries, finishes those it has,
// also those that wait for a connection, and closes. On error nothing changes.
func (u *Upstream) Update(list []Endpoint) error { return u.replace(list, false) }

// replace is Update; those of the first list are presumed healthy.
func (u *Upstream) replace(list []Endpoint, first bool) error {
	if len(list) == 0 {
		return fmt.Errorf("upstream %q: %w", u.cfg.Name, ErrNoEndpoints)
	}
	for i, given := range list {
		if slices.ContainsFunc(list[:i], func(e Endpoint) bool { return e.Address == given.Address }) {
			return fmt.Errorf("upstream %q: %s: %w", u.cfg.Name, given.Address, ErrDuplicate)
		}
	}
	gone, err := u.exchange(list, first)
	for _, e := range gone {
		e.retire()
	}
	return err
}

// exchange puts the new list in place and gives those that are no longer in it.
func (u *Upstream) exchange(list []Endpoint, first bool) (gone []*endpoint, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, fmt.Errorf("upstream %q: %w", u.cfg.Name, ErrClosed)
	}
	old := u.all
	u.all = make([]*endpoint, 0, len(list))
	for _, given := range list {
		if i := indexOf(old, given.Address); i >= 0 {
			old[i].node.SetWeight(given.Weight)
			u.all = append(u.all, old[i])
			continue
		}
		e := u.newEndpoint(given)
		u.startProbe(e, first)
		if !first {
			u.warm(e)
		}
		u.all = append(u.all, e)
	}
	for _, e := range old {
		if indexOf(u.all, e.addr) < 0 {
			u.stopTimer(e)
			e.drained = true
			gone = append(gone, e)
		}
	}
	u.prune()
	u.leaving = append(u.leaving, gone...)
	u.refresh()
	return gone, nil
}

func indexOf(list []*endpoint, addr string) int {
	return slices.IndexFunc(list, func(e *endpoint) bool { return e.addr == addr })
}

// finished tells whether a retired endpoint has nothing left.
func (e *endpoint) finished() bool {
	s := e.pool.Stats()
	return e.retired.Load() && e.refs.Load() == 0 && s.Leased+s.Waiting+s.Dialing+s.Idle == 0
}

// prune forgets removed endpoints that have finished. The caller holds mu.
func (u *Upstream) prune() {
	u.leaving = slices.DeleteFunc(u.leaving, func(e *endpoint) bool {
		if !e.finished() {
			return false
		}
		if indexOf(u.all, e.addr) < 0 { // else it has come again
			u.hooks.Gone(e.addr)
		}
		return true
	})
}

// Drain has an endpoint get no new tries until it is let in again; it finishes
// what it has.
func (u *Upstream) Drain(addr string, drain bool) error {
	u.mu.Lock()
	i := indexOf(u.all, addr)
	if i < 0 {
		u.mu.Unlock()
		return fmt.Errorf("upstream %q: %s: %w", u.cfg.Name, addr, ErrUnknownEndpoint)
	}
	e := u.all[i]
	u.mu.Unlock()
	u.change(e, nil, func() { e.drained = drain || e.retired.Load() })
	return nil
}
