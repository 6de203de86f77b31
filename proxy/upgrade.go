package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"

	"gauntlet/proxy/handover"
)

// Errors of Upgrade.
var (
	ErrNoSuccessor = errors.New("proxy cannot start another process")
	ErrUpgrading   = errors.New("proxy is being upgraded")
	ErrNoSockets   = errors.New("proxy does not listen")
)

// opened is a listening socket under the name by which it is handed over, as
// it was before anybody wrapped it.
type opened struct {
	name, address string
	ln            net.Listener
}

// open returns the socket of that name that was inherited for this address, or
// a new one.
func (p *Proxy) open(name, address string) (net.Listener, error) {
	ln, err := p.inherited(name, address)
	if ln == nil && err == nil {
		// Plain TCP: Go's default would be Multipath TCP, whose sockets
		// take no packet filter, and a stop without resets needs one.
		var lc net.ListenConfig
		lc.SetMultipathTCP(false)
		ln, err = lc.Listen(p.base, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	p.opened = append(p.opened, opened{name, address, ln})
	return ln, nil
}

func (p *Proxy) inherited(name, address string) (net.Listener, error) {
	for _, s := range p.parts.Sockets {
		if s.Name == name && (s.Address == "" || s.Address == address) {
			return s.Listen()
		}
	}
	return nil, nil
}

// forgo closes what was inherited, once all has been opened that is wanted: a
// socket that nobody accepts on would keep its clients waiting.
func (p *Proxy) forgo() {
	for _, s := range p.parts.Sockets {
		_ = s.File.Close() // of a listener that is another descriptor by now
	}
}

// Upgrade has Parts.Successor serve the listening sockets in another process
// and then begins the graceful stop, as the end of Serve's context does, but
// for the sockets: they are let go of, and whoever waits for them finds the
// successor. Nobody is refused meanwhile. With an error nothing has changed.
func (p *Proxy) Upgrade(ctx context.Context) error {
	if p.parts.Successor == nil {
		return ErrNoSuccessor
	}
	if !p.upgrading.TryLock() {
		return ErrUpgrading
	}
	defer p.upgrading.Unlock()
	if p.stopping.Load() || p.base.Err() != nil {
		return ErrStopping
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.ending, func() { cancel(ErrStopping) })()
	err := p.succeed(ctx)
	if err != nil {
		p.log.ErrorContext(ctx, "upgrade failed, going on", "error", err)
		return err
	}
	p.log.InfoContext(ctx, "upgraded: the sockets have been handed over")
	p.release()
	p.stopping.Store(true) // no second successor
	close(p.succeeded)
	return nil
}

func (p *Proxy) succeed(ctx context.Context) error {
	p.mu.Lock()
	open := p.opened
	p.mu.Unlock()
	if len(open) == 0 {
		return ErrNoSockets
	}
	var sockets []handover.Socket
	defer func() {
		for _, s := range sockets {
			_ = s.File.Close()
		}
	}()
	for _, o := range open {
		s, err := handover.NewSocket(o.name, o.address, o.ln)
		if err != nil {
			return fmt.Errorf("proxy upgrade: %w", err)
		}
		sockets = append(sockets, s)
	}
	if err := p.parts.Successor(ctx, sockets); err != nil {
		return fmt.Errorf("proxy upgrade: %w", err)
	}
	return nil
}

// release closes this process's hold on the sockets. The admin listener's goes
// at once, too: its successor answers for both.
func (p *Proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener.Release()
	if p.adminLn != nil {
		_ = p.adminLn.Close()
	}
}
