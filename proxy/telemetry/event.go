package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Event records what happened within the exchange of ctx: on its span, and in
// the counter of that event.
func (t *Telemetry) Event(ctx context.Context, name string, attrs ...slog.Attr) {
	switch name {
	case EventRetry:
		t.metrics.retries.WithLabelValues(reason(value(attrs, "reason"))).Inc()
	case EventDenied:
		t.metrics.denied.WithLabelValues(deniedReason(value(attrs, "reason"))).Inc()
	case EventRejected:
		t.metrics.rejected.WithLabelValues(value(attrs, "upstream")).Inc()
	case EventLimited:
		t.metrics.limited.WithLabelValues(value(attrs, "upstream"), value(attrs, "reason")).Inc()
	case EventFallback:
		t.metrics.fallback.WithLabelValues(value(attrs, "upstream")).Inc()
	}
	if s, ok := trace.SpanFromContext(ctx).(*ServerSpan); ok {
		s.event(name, func() []attribute.KeyValue { return attributes(attrs) })
	}
}

// attributes are attrs in the terms of spans.
func attributes(attrs []slog.Attr) []attribute.KeyValue {
	kvs := make([]attribute.KeyValue, len(attrs))
	for i, a := range attrs {
		key := attribute.Key(EventPrefix + a.Key)
		if a.Value.Kind() == slog.KindInt64 {
			kvs[i] = key.Int64(a.Value.Int64())
		} else {
			kvs[i] = key.String(a.Value.String())
		}
	}
	return kvs
}

func value(attrs []slog.Attr, key string) string {
	for _, a := range attrs {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

// reason bounds the reason label.
func reason(s string) string {
	if s == "recovery" || s == "retry" || s == "hedge" {
		return s
	}
	return "other"
}

// deniedReason bounds the reason label of what was not done.
func deniedReason(s string) string {
	if s == "budget" {
		return s
	}
	return "other"
}
