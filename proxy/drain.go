package proxy

import (
	"context"
	"errors"
	"time"
)

// A Step is one part of the graceful stop. Run returns when the step is done
// or ctx has ended, which is at drain.timeout or at Cut; the steps after it
// still run, and what they leave is cut.
type Step struct {
	Name string
	Run  func(ctx context.Context) error
}

// drainSteps is the graceful stop, in order.
func (p *Proxy) drainSteps() []Step {
	return []Step{
		// Readiness first: balancers stop sending, and every response
		// tells its client to take another connection next time. Clients
		// that do not know yet are still served.
		{Name: "announce", Run: func(ctx context.Context) error {
			p.stopping.Store(true)
			p.handlers.Go(p.clients.Announce) // may wait for clients that take nothing
			return sleep(ctx, p.current.Load().cfg.Drain.Announce)
		}},
		// Whom the kernel has already greeted is let in.
		{Name: "stop-accepting", Run: p.stopAccepting},
		// Idle connections stay open meanwhile: a request that comes on
		// one is answered, with the announcement.
		{Name: "finish", Run: func(ctx context.Context) error {
			p.goAway()
			return p.clients.WaitIdle(ctx)
		}},
		// Half-close, so that a client sees the end before it writes
		// into it; wait for it to close its side.
		{Name: "close-idle", Run: func(ctx context.Context) error {
			p.goAway()
			p.clients.StopIdle()
			return p.clients.WaitEmpty(ctx)
		}},
	}
}

func (p *Proxy) stopAccepting(ctx context.Context) error {
	p.mu.Lock()
	ln := p.listener
	p.mu.Unlock()
	return ln.Stop(ctx)
}

// drain runs the steps and then cuts what is left.
func (p *Proxy) drain() {
	ctx, cancel := context.WithTimeout(p.base, p.current.Load().cfg.Drain.Timeout)
	defer cancel()
	for _, step := range p.steps {
		p.log.Info("stopping", "step", step.Name, "connections", p.clients.Len(), "in_flight", p.inflight.Load())
		if err := step.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			p.log.Warn("stopping: step not finished", "step", step.Name, "error", err,
				"connections", p.clients.Len(), "in_flight", p.inflight.Load())
		}
	}
	p.stopping.Store(true)
	if n := p.clients.Len(); n > 0 {
		p.log.Warn("stopping: connections cut", "connections", n, "in_flight", p.inflight.Load())
	}
	p.cut()
	_ = p.listener.Close()
	p.clients.Cut()
}

// settleFor bounds the wait for handlers whose connections were cut.
const settleFor = 5 * time.Second

// settle waits for the handlers, so that each has said what became of its
// exchange before telemetry closes. No connection is left that could bring a
// request when it waits for the last of them.
func (p *Proxy) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	if err := p.clients.WaitEmpty(ctx); err != nil {
		p.log.Error("stopping: handlers still running", "in_flight", p.inflight.Load())
		return
	}
	p.handlers.Wait()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
