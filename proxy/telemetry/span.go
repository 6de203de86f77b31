package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// maxEvents bounds the events of a span; more are counted.
const maxEvents = 64

// span is a span as an Exporter gets it. The SDK's own costs several times as
// much to make, and each request makes two. It is written by one goroutine at
// a time and not at all once it has been handed on.
type span struct {
	sdktrace.ReadOnlySpan // nil: every method that can be called is below

	name       string
	kind       trace.SpanKind
	sc, parent trace.SpanContext
	start, end time.Time
	attrs      []attribute.KeyValue
	events     []sdktrace.Event
	lost       int // events beyond maxEvents
	status     sdktrace.Status
	children   int
	resource   *resource.Resource

	store [24]attribute.KeyValue // what attrs begins in
}

var _ sdktrace.ReadOnlySpan = (*span)(nil)

// scope names who makes the spans.
func scope() instrumentation.Scope { return instrumentation.Scope{Name: "gauntlet/proxy"} }

func (s *span) set(attrs ...attribute.KeyValue) {
	if s.attrs == nil {
		s.attrs = s.store[:0]
	}
	s.attrs = append(s.attrs, attrs...)
}

func (s *span) fail(why string) { s.status = sdktrace.Status{Code: codes.Error, Description: why} }

func (s *span) event(name string, at time.Time, attrs []attribute.KeyValue) {
	if len(s.events) == maxEvents {
		s.lost++
		return
	}
	s.events = append(s.events, sdktrace.Event{Name: name, Attributes: attrs, Time: at})
}

// Name implements sdktrace.ReadOnlySpan, as do all below.
func (s *span) Name() string { return s.name }

// SpanContext gives the ids.
func (s *span) SpanContext() trace.SpanContext { return s.sc }

// Parent is not valid for the root of a trace.
func (s *span) Parent() trace.SpanContext { return s.parent }

// SpanKind is server or client.
func (s *span) SpanKind() trace.SpanKind { return s.kind }

// StartTime is when the span began.
func (s *span) StartTime() time.Time { return s.start }

// EndTime is when the span ended.
func (s *span) EndTime() time.Time { return s.end }

// Attributes must not be changed.
func (s *span) Attributes() []attribute.KeyValue { return s.attrs }

// Links are none.
func (*span) Links() []sdktrace.Link { return nil }

// Events must not be changed.
func (s *span) Events() []sdktrace.Event { return s.events }

// Status is an error or not set.
func (s *span) Status() sdktrace.Status { return s.status }

// InstrumentationScope names who made the span.
func (*span) InstrumentationScope() instrumentation.Scope { return scope() }

// InstrumentationLibrary is the same by its old name.
func (*span) InstrumentationLibrary() instrumentation.Library { return scope() } //nolint:staticcheck // the interface has it

// Resource is the proxy.
func (s *span) Resource() *resource.Resource { return s.resource }

// DroppedAttributes are none.
func (*span) DroppedAttributes() int { return 0 }

// DroppedLinks are none.
func (*span) DroppedLinks() int { return 0 }

// DroppedEvents counts those beyond the bound.
func (s *span) DroppedEvents() int { return s.lost }

// ChildSpanCount counts the attempts of an exchange.
func (s *span) ChildSpanCount() int { return s.children }
