package telemetry

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What waits for a slow writer is bounded: by lines and by bytes.
const (
	lines     = 8192
	lineBytes = 4 << 20
)

const (
	gather = 5 * time.Millisecond // lines wait so long for company: one write for all
	plenty = 64 << 10             // and no longer when there are so many bytes
)

// asyncWriter takes lines without ever blocking and writes them from one
// goroutine of its own, which close waits for.
type asyncWriter struct {
	dropped prometheus.Counter
	some    chan struct{} // there are lines
	many    chan struct{} // it is time to write them
	done    chan struct{}

	mu     sync.Mutex
	buf    []byte
	count  int // of lines in buf
	closed bool
}

func newAsyncWriter(w io.Writer, dropped prometheus.Counter) *asyncWriter {
	a := &asyncWriter{dropped: dropped, some: make(chan struct{}, 1), many: make(chan struct{}, 1), done: make(chan struct{})}
	go a.run(w)
	return a
}

// run writes what has gathered, in turns with what gathers meanwhile.
func (a *asyncWriter) run(w io.Writer) {
	defer close(a.done)
	var spare []byte
	timer := time.NewTimer(gather)
	defer timer.Stop()
	for closed := false; !closed; {
		<-a.some
		timer.Reset(gather)
		select {
		case <-timer.C:
		case <-a.many:
		}
		a.mu.Lock()
		full, count := a.buf, a.count
		a.buf, a.count, closed = spare[:0], 0, a.closed
		a.mu.Unlock()
		if len(full) > 0 {
			if _, err := w.Write(full); err != nil {
				a.dropped.Add(float64(count))
			}
		}
		if spare = full; cap(spare) > 4*plenty {
			spare = nil
		}
	}
}

// add queues a copy of line, or drops it when there is no room.
func (a *asyncWriter) add(line []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.count >= lines || len(a.buf)+len(line) > lineBytes {
		a.dropped.Inc()
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

// close writes what is queued and stops. A writer that blocks longer than ctx
// keeps its goroutine.
func (a *asyncWriter) close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	tell(a.some)
	tell(a.many)
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write access log: %w", context.Cause(ctx))
	}
}
