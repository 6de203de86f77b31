package otlp

import (
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// appendRequest appends an ExportTraceServiceRequest (opentelemetry-proto
// collector/trace/v1). Field numbers below are those of trace/v1, common/v1
// and resource/v1.
func appendRequest(b []byte, spans []sdktrace.ReadOnlySpan) []byte {
	for len(spans) > 0 {
		of := spans[0].Resource()
		n := 1
		for n < len(spans) && spans[n].Resource() == of {
			n++
		}
		var at int
		b, at = open(b, 1)
		b = appendResource(b, of)
		b = appendScopes(b, spans[:n])
		b = appendText(b, 3, of.SchemaURL())
		b = shut(b, at)
		spans = spans[n:]
	}
	return b
}

func appendResource(b []byte, r *resource.Resource) []byte {
	b, at := open(b, 1)
	for it := r.Iter(); it.Next(); {
		b = appendAttribute(b, 1, it.Attribute())
	}
	return shut(b, at)
}

func appendScopes(b []byte, spans []sdktrace.ReadOnlySpan) []byte {
	for len(spans) > 0 {
		of := spans[0].InstrumentationScope()
		var at int
		b, at = open(b, 2)
		b = appendScope(b, of)
		n := 0
		for n < len(spans) && (n == 0 || spans[n].InstrumentationScope() == of) {
			b = appendSpan(b, spans[n])
			n++
		}
		b = appendText(b, 3, of.SchemaURL)
		b = shut(b, at)
		spans = spans[n:]
	}
	return b
}

func appendScope(b []byte, s instrumentation.Scope) []byte {
	b, at := open(b, 1)
	b = appendText(b, 1, s.Name)
	b = appendText(b, 2, s.Version)
	b = appendAttributes(b, 3, s.Attributes.ToSlice())
	return shut(b, at)
}

func appendSpan(b []byte, s sdktrace.ReadOnlySpan) []byte {
	b, at := open(b, 2)
	sc, parent := s.SpanContext(), s.Parent()
	b = appendIDs(b, sc)
	if id := parent.SpanID(); id.IsValid() {
		b = appendBytes(b, 4, id[:])
	}
	b = appendText(b, 5, s.Name())
	b = appendNumber(b, 6, uint64(s.SpanKind())) // the same numbers
	b = appendTime(b, 7, s.StartTime())
	b = appendTime(b, 8, s.EndTime())
	b = appendAttributes(b, 9, s.Attributes())
	b = appendNumber(b, 10, uint64(s.DroppedAttributes()))
	for _, e := range s.Events() {
		b = appendEvent(b, e)
	}
	b = appendNumber(b, 12, uint64(s.DroppedEvents()))
	for _, l := range s.Links() {
		b = appendLink(b, l)
	}
	b = appendNumber(b, 14, uint64(s.DroppedLinks()))
	b = appendStatus(b, s.Status())
	b = appendFlags(b, 16, sc, parent.IsRemote())
	return shut(b, at)
}

// appendIDs appends what begins a span and a link alike.
func appendIDs(b []byte, sc trace.SpanContext) []byte {
	id, span := sc.TraceID(), sc.SpanID()
	b = appendBytes(b, 1, id[:])
	b = appendBytes(b, 2, span[:])
	if sc.TraceState().Len() == 0 {
		return b
	}
	return appendText(b, 3, sc.TraceState().String())
}

// appendFlags appends the W3C flags, and in the two bits above them whether
// the parent is of another process, and that this is known.
func appendFlags(b []byte, field protowire.Number, sc trace.SpanContext, remote bool) []byte {
	const known, isRemote = 0x100, 0x200
	flags := uint32(sc.TraceFlags()) | known
	if remote {
		flags |= isRemote
	}
	return protowire.AppendFixed32(protowire.AppendTag(b, field, protowire.Fixed32Type), flags)
}

func appendEvent(b []byte, e sdktrace.Event) []byte {
	b, at := open(b, 11)
	b = appendTime(b, 1, e.Time)
	b = appendText(b, 2, e.Name)
	b = appendAttributes(b, 3, e.Attributes)
	b = appendNumber(b, 4, uint64(e.DroppedAttributeCount))
	return shut(b, at)
}

func appendLink(b []byte, l sdktrace.Link) []byte {
	b, at := open(b, 13)
	b = appendIDs(b, l.SpanContext)
	b = appendAttributes(b, 4, l.Attributes)
	b = appendNumber(b, 5, uint64(l.DroppedAttributeCount))
	b = appendFlags(b, 6, l.SpanContext, l.SpanContext.IsRemote())
	return shut(b, at)
}

func appendStatus(b []byte, s sdktrace.Status) []byte {
	b, at := open(b, 15)
	b = appendText(b, 2, s.Description)
	switch s.Code { // other numbers than the SDK's
	case codes.Ok:
		b = appendNumber(b, 3, 1)
	case codes.Error:
		b = appendNumber(b, 3, 2)
	case codes.Unset:
	}
	return shut(b, at)
}

func appendAttributes(b []byte, field protowire.Number, list []attribute.KeyValue) []byte {
	for _, kv := range list {
		b = appendAttribute(b, field, kv)
	}
	return b
}

func appendAttribute(b []byte, field protowire.Number, kv attribute.KeyValue) []byte {
	b, at := open(b, field)
	b = appendText(b, 1, string(kv.Key))
	b = appendValue(b, 2, kv.Value)
	return shut(b, at)
}

// appendValue appends an AnyValue. Unlike elsewhere, its zero values are
// written: they say of which kind it is.
func appendValue(b []byte, field protowire.Number, v attribute.Value) []byte {
	b, at := open(b, field)
	switch v.Type() {
	case attribute.STRING:
		b = appendString(b, 1, v.AsString())
	case attribute.BOOL:
		b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), protowire.EncodeBool(v.AsBool()))
	case attribute.INT64:
		b = protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), uint64(v.AsInt64()))
	case attribute.FLOAT64:
		b = protowire.AppendFixed64(protowire.AppendTag(b, 4, protowire.Fixed64Type), math.Float64bits(v.AsFloat64()))
	default: // the proxy sets no lists
		b = appendString(b, 1, v.String())
	}
	return shut(b, at)
}

func appendText(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return appendString(b, field, s)
}

// appendString makes s valid UTF-8: a collector refuses all of a request for
// one text that is not, and clients choose their paths.
func appendString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), strings.ToValidUTF8(s, "\uFFFD"))
}

func appendBytes(b []byte, field protowire.Number, p []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), p)
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func appendTime(b []byte, field protowire.Number, t time.Time) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), uint64(max(t.UnixNano(), 0)))
}

// open begins an embedded message; shut ends it, when its length is known, and
// is given what open gave.
func open(b []byte, field protowire.Number) ([]byte, int) {
	b = append(protowire.AppendTag(b, field, protowire.BytesType), 0)
	return b, len(b)
}

func shut(b []byte, at int) []byte {
	size := len(b) - at
	more := protowire.SizeVarint(uint64(size)) - 1
	for range more {
		b = append(b, 0)
	}
	copy(b[at+more:], b[at:at+size])
	protowire.AppendVarint(b[:at-1], uint64(size)) // into the room just made
	return b
}
