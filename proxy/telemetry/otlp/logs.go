package otlp

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// Record is one log line. Field numbers below are those of logs/v1.
type Record struct {
	Time    time.Time
	Level   slog.Level
	Message string
	Span    trace.SpanContext // not valid: of no exchange
	Attrs   []slog.Attr
}

// AppendLog appends a record as Lines.Export wants it.
func AppendLog(b []byte, r Record) []byte {
	b, at := open(b, 2) // of ScopeLogs
	b = appendTime(b, 1, r.Time)
	b = appendTime(b, 11, r.Time)
	b = appendNumber(b, 2, uint64(severity(r.Level)))
	b = appendText(b, 3, r.Level.String())
	b = appendValue(b, 5, attribute.StringValue(r.Message))
	for _, a := range r.Attrs {
		b = appendAttr(b, a)
	}
	if r.Span.IsValid() {
		id, span := r.Span.TraceID(), r.Span.SpanID()
		b = protowire.AppendFixed32(protowire.AppendTag(b, 8, protowire.Fixed32Type), uint32(r.Span.TraceFlags()))
		b = appendBytes(b, 9, id[:])
		b = appendBytes(b, 10, span[:])
	}
	return shut(b, at)
}

// severity is a level as OTLP numbers it: slog's levels keep the same
// distances.
func severity(l slog.Level) int { return max(1, min(int(l)+9, 24)) }

func appendAttr(b []byte, a slog.Attr) []byte {
	b, at := open(b, 6)
	b = appendText(b, 1, a.Key)
	return shut(appendValue(b, 2, convert(a.Value)), at)
}

func convert(v slog.Value) attribute.Value {
	switch v.Kind() {
	case slog.KindBool:
		return attribute.BoolValue(v.Bool())
	case slog.KindInt64:
		return attribute.Int64Value(v.Int64())
	case slog.KindFloat64:
		return attribute.Float64Value(v.Float64())
	default:
		return attribute.StringValue(v.String())
	}
}

// Lines sends log records.
type Lines struct {
	sender          Sender
	resource, scope []byte // encoded
	buf             []byte
}

// NewLines gives an exporter of records that a resource made.
func NewLines(s Sender, of *resource.Resource, scope string) *Lines {
	l := &Lines{sender: s}
	l.resource = appendResource(nil, of)
	var at int
	l.scope, at = open(nil, 1)
	l.scope = shut(appendText(l.scope, 1, scope), at)
	return l
}

// Export makes one try to send records, each appended by AppendLog. It is used
// by one goroutine at a time. Its errors are those of the sender.
func (l *Lines) Export(ctx context.Context, records []byte) error {
	b, at := open(l.buf[:0], 1) // ResourceLogs
	b = append(b, l.resource...)
	var in int
	b, in = open(b, 2)
	b = append(append(b, l.scope...), records...)
	l.buf = shut(shut(b, in), at)
	err := l.sender.Send(ctx, Logs, l.buf)
	if cap(l.buf) > maxKeptBuf {
		l.buf = nil
	}
	return err
}
