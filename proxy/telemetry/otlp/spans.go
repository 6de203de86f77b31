package otlp

import (
	"context"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// maxKeptBuf bounds the buffer that is kept for the next request.
const maxKeptBuf = 4 << 20

// Spans sends spans. It is safe for concurrent use, though exports follow one
// another. Shut it down; the sender is not closed with it.
type Spans struct {
	sender Sender

	mu     sync.Mutex
	buf    []byte
	closed bool
}

var _ sdktrace.SpanExporter = (*Spans)(nil)

// NewSpans gives an exporter by way of a sender.
func NewSpans(s Sender) *Spans { return &Spans{sender: s} }

// ExportSpans makes one try and returns when the collector has taken the
// spans. Its errors are those of the sender.
func (e *Spans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	e.buf = appendRequest(e.buf[:0], spans)
	err := e.sender.Send(ctx, Traces, e.buf)
	if cap(e.buf) > maxKeptBuf {
		e.buf = nil
	}
	return err
}

// Shutdown waits for an export under way.
func (e *Spans) Shutdown(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}
