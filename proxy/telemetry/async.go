package telemetry

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// lines bounds the access log lines that wait for a slow writer.
const lines = 8192

// asyncWriter takes lines without ever blocking and writes them from one
// goroutine of its own, which close waits for.
type asyncWriter struct {
	queue   chan []byte
	done    chan struct{}
	dropped prometheus.Counter

	mu     sync.RWMutex // held for reading while a line is queued
	closed bool
}

func newAsyncWriter(w io.Writer, dropped prometheus.Counter) *asyncWriter {
	a := &asyncWriter{queue: make(chan []byte, lines), done: make(chan struct{}), dropped: dropped}
	go a.run(w)
	return a
}

// run joins what is waiting into larger writes.
func (a *asyncWriter) run(w io.Writer) {
	defer close(a.done)
	buf := make([]byte, 0, 64<<10)
	for line := range a.queue {
		buf = append(buf[:0], line...)
		count := 1
		for len(buf) < 32<<10 && len(a.queue) > 0 {
			more, ok := <-a.queue
			if !ok {
				break
			}
			buf = append(buf, more...)
			count++
		}
		if _, err := w.Write(buf); err != nil {
			a.dropped.Add(float64(count))
		}
	}
}

// Write queues a copy of line. It always reports success.
func (a *asyncWriter) Write(line []byte) (int, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.closed {
		a.dropped.Inc()
		return len(line), nil
	}
	select {
	case a.queue <- append([]byte(nil), line...):
	default:
		a.dropped.Inc()
	}
	return len(line), nil
}

// close writes what is queued and stops. A writer that blocks longer than ctx
// keeps its goroutine.
func (a *asyncWriter) close(ctx context.Context) error {
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		close(a.queue)
	}
	a.mu.Unlock()
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write access log: %w", context.Cause(ctx))
	}
}
