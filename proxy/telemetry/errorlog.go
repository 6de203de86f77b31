package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"gauntlet/proxy/telemetry/otlp"
)

// maxRecords bounds the records that wait for the handler of the proxy's own
// log; more are dropped.
const maxRecords = 1024

// errorLog gives records to handlers without those who log ever waiting for
// them, from one goroutine of its own, which the first of them starts and close
// waits for.
type errorLog struct {
	*delivery
	level     slog.Level
	admission *admission
	mask      *masker
	otlp      *asyncLines // nil: none

	work  chan func() error
	start sync.Once
	done  chan struct{}

	mu     sync.RWMutex
	closed bool
}

func newErrorLog(o Options, t *Telemetry) *errorLog {
	return &errorLog{
		delivery: t.metrics.newDelivery("error_log"), level: o.Level, mask: t.mask, otlp: t.logs,
		admission: &admission{LogSampling: o.LogSampling},
		work:      make(chan func() error, maxRecords), done: make(chan struct{}),
	}
}

func (l *errorLog) run() {
	defer close(l.done)
	for write := range l.work {
		l.deliver(1, func(context.Context) error { return write() })
	}
}

// put queues a record for a handler. After the end it is written at once: what
// is logged then is of the stop itself.
func (l *errorLog) put(write func() error) {
	l.recorded.Inc()
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		l.deliver(1, func(context.Context) error { return write() })
		return
	}
	l.start.Do(func() { go l.run() })
	select {
	case l.work <- write:
	default:
		l.drop(DroppedFull, 1)
	}
}

func (l *errorLog) close(ctx context.Context) error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.work)
		l.start.Do(func() { close(l.done) })
	}
	l.mu.Unlock()
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write log: %w", context.Cause(ctx))
	}
}

// Logger gives a logger whose lines go to h, and as OTLP where logs are
// exported: masked, sampled, and with the ids of the exchange that their
// context belongs to. Those who log do not wait for h.
func (t *Telemetry) Logger(h slog.Handler) *slog.Logger {
	return slog.New(&logHandler{t.errors, h, nil})
}

type logHandler struct {
	l    *errorLog
	next slog.Handler
	with []slog.Attr // what next has been given already
}

// Enabled implements slog.Handler.
func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.l.level && (h.l.otlp != nil || h.next.Enabled(ctx, level))
}

// Handle implements slog.Handler.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error { //nolint:gocritic // the interface has it by value
	l := h.l
	sc := trace.SpanContextFromContext(ctx)
	if why := l.admission.refuse(r.Level, sc, r.Time); why != "" {
		l.leftOut.WithLabelValues(why).Inc()
		return nil
	}
	out := slog.NewRecord(r.Time, r.Level, l.mask.text(r.Message), r.PC)
	attrs := make([]slog.Attr, 0, r.NumAttrs()+len(h.with)+2)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, l.mask.attr(a))
		return true
	})
	if l.otlp != nil {
		l.otlp.add(otlp.AppendLog(nil, otlp.Record{Time: r.Time, Level: r.Level, Message: out.Message, Span: sc, Attrs: append(attrs, h.with...)}))
	}
	if sc.IsValid() {
		out.AddAttrs(slog.String(LogTraceID, sc.TraceID().String()), slog.String(LogSpanID, sc.SpanID().String()))
	}
	if h.next.Enabled(ctx, r.Level) {
		out.AddAttrs(attrs...)
		l.put(func() error { return h.next.Handle(context.Background(), out) })
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	hidden := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		hidden[i] = h.l.mask.attr(a)
	}
	return &logHandler{h.l, h.next.WithAttrs(hidden), append(slices.Clip(h.with), hidden...)}
}

// WithGroup implements slog.Handler. In OTLP groups are left out.
func (h *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{h.l, h.next.WithGroup(name), h.with}
}

// attr hides what a value says. What is no number becomes text here: its owner
// may change it before it is written.
func (k *masker) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, k.text(v.String()))
	case slog.KindAny:
		if list, ok := v.Any().([]string); ok {
			hidden := make([]string, len(list))
			for i, s := range list {
				hidden[i] = k.text(s)
			}
			return slog.Any(a.Key, hidden)
		}
		return slog.String(a.Key, k.text(fmt.Sprint(v.Any())))
	case slog.KindGroup:
		hidden := make([]slog.Attr, len(v.Group()))
		for i, inner := range v.Group() {
			hidden[i] = k.attr(inner)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(hidden...)}
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindTime, slog.KindUint64, slog.KindLogValuer:
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// exchangeFailed is the message of the line that says why an exchange failed.
const exchangeFailed = "exchange failed"

// Failed logs why an exchange failed: the access log has what became of it.
// What the client did is told at debug level only.
func Failed(ctx context.Context, log *slog.Logger, e *Ended, cause error) {
	level := slog.LevelDebug
	if e.Failed() {
		level = slog.LevelError
	}
	if !log.Enabled(ctx, level) {
		return
	}
	log.LogAttrs(ctx, level, exchangeFailed,
		slog.String(LogError, e.Class), slog.Int(LogStatus, e.Status), slog.Bool(LogAborted, e.Aborted),
		slog.String(LogRoute, e.Route), slog.String(LogUpstream, e.Upstream), slog.String(LogEndpoint, e.Endpoint),
		slog.Int(LogAttempts, e.Attempts), slog.Any(LogCause, cause))
}
