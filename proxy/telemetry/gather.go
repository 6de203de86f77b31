package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A gatherer takes records without ever blocking and gives them, in batches, to
// put from one goroutine of its own, which close waits for. Each record is made
// of parts: a line of bytes, a span of itself.
type gatherer[T any] struct {
	*delivery
	bounds
	put  func(batch []T, records int)
	some chan struct{} // there are records
	many chan struct{} // it is time to put them
	done chan struct{}

	mu      sync.Mutex
	batch   []T
	records int // in batch
	closed  bool
}

// bounds say how much may wait, and how long for company.
type bounds struct {
	records, parts int // more are dropped
	plenty         int // parts that wait no longer
	wait           time.Duration
}

// newGatherer begins to gather. Whoever made it closes it. put may keep nothing
// of a batch.
func newGatherer[T any](d *delivery, b bounds, put func(batch []T, records int)) *gatherer[T] {
	g := &gatherer[T]{delivery: d, bounds: b, put: put, some: make(chan struct{}, 1), many: make(chan struct{}, 1), done: make(chan struct{})}
	go g.run()
	return g
}

// add queues a copy of a record's parts, or drops it when there is no room.
func (g *gatherer[T]) add(parts []T) {
	g.recorded.Inc()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		g.drop(DroppedStopped, 1)
		return
	case g.records >= g.bounds.records || len(g.batch)+len(parts) > g.parts:
		g.drop(DroppedFull, 1)
		return
	}
	g.batch = append(g.batch, parts...)
	g.records++
	if g.records == 1 {
		tell(g.some)
	}
	if len(g.batch) >= g.plenty {
		tell(g.many)
	}
}

// run puts what has gathered, in turns with what gathers meanwhile.
func (g *gatherer[T]) run() {
	defer close(g.done)
	var spare []T
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	for closed := false; !closed; {
		<-g.some
		timer.Reset(g.wait)
		select {
		case <-timer.C:
		case <-g.many:
		}
		g.mu.Lock()
		full, records := g.batch, g.records
		g.batch, g.records, closed = spare[:0], 0, g.closed
		g.mu.Unlock()
		if records > 0 {
			g.put(full, records)
		}
		clear(full)
		if spare = full; cap(spare) > 4*g.plenty {
			spare = nil
		}
	}
}

func tell(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// close puts what is queued and stops. What blocks longer than ctx, and does
// not heed its own, keeps its goroutine.
func (g *gatherer[T]) close(ctx context.Context) error {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.hurry)
	}
	g.mu.Unlock()
	tell(g.some)
	tell(g.many)
	defer g.cancel()
	select {
	case <-g.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("pass on telemetry: %w", context.Cause(ctx))
	}
}
