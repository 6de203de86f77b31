package telemetry

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// What waits for a slow writer is bounded: by lines and by bytes.
const (
	lines     = 8192
	lineBytes = 4 << 20
)

const (
	gatherFile = 5 * time.Millisecond // lines of a file wait so long for company: one write for all
	plenty     = 64 << 10             // and no longer when there are so many bytes
)

// asyncLines takes lines without ever blocking and gives them to put from one
// goroutine of its own, which close waits for.
type asyncLines struct {
	*delivery
	put  func(ctx context.Context, lines []byte) error
	some chan struct{} // there are lines
	many chan struct{} // it is time to put them
	done chan struct{}

	gather time.Duration // lines wait so long for company, unless there are plenty

	mu     sync.Mutex
	buf    []byte
	count  int // of lines in buf
	closed bool
}

func newAsyncLines(d *delivery, gather time.Duration, put func(ctx context.Context, lines []byte) error) *asyncLines {
	a := &asyncLines{delivery: d, put: put, gather: gather, some: make(chan struct{}, 1), many: make(chan struct{}, 1), done: make(chan struct{})}
	go a.run()
	return a
}

// run puts what has gathered, in turns with what gathers meanwhile.
func (a *asyncLines) run() {
	defer close(a.done)
	var spare []byte
	timer := time.NewTimer(a.gather)
	defer timer.Stop()
	for closed := false; !closed; {
		<-a.some
		timer.Reset(a.gather)
		select {
		case <-timer.C:
		case <-a.many:
		}
		a.mu.Lock()
		full, count := a.buf, a.count
		a.buf, a.count, closed = spare[:0], 0, a.closed
		a.mu.Unlock()
		if count > 0 {
			a.deliver(count, func(ctx context.Context) error { return a.put(ctx, full) })
		}
		if spare = full; cap(spare) > 4*plenty {
			spare = nil
		}
	}
}

// add queues a copy of line, or drops it when there is no room.
func (a *asyncLines) add(line []byte) {
	a.recorded.Inc()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		a.drop(DroppedStopped, 1)
		return
	case a.count >= lines || len(a.buf)+len(line) > lineBytes:
		a.drop(DroppedFull, 1)
		return
	}
	a.buf = append(a.buf, line...)
	a.count++
	if a.count == 1 {
		tell(a.some)
	}
	if len(a.buf) >= plenty {
		tell(a.many)
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
func (a *asyncLines) close(ctx context.Context) error {
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		close(a.hurry)
	}
	a.mu.Unlock()
	tell(a.some)
	tell(a.many)
	defer a.cancel()
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write log: %w", context.Cause(ctx))
	}
}

// writing gives lines to a writer. What it could not write is not tried again:
// nobody knows how much of it was.
func writing(w io.Writer) func(context.Context, []byte) error {
	return func(_ context.Context, lines []byte) error {
		_, err := w.Write(lines)
		return err
	}
}
