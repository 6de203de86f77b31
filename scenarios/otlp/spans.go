package otlp

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"gauntlet/fixtures/exchange"
)

// A Kind is a span's kind, numbered as in OTLP.
type Kind int32

// The kinds that matter to attempts.
const (
	Server Kind = Kind(tracepb.Span_SPAN_KIND_SERVER)
	Client Kind = Kind(tracepb.Span_SPAN_KIND_CLIENT)
)

// A Status is a span's status code, numbered as in OTLP.
type Status int32

// The status codes.
const (
	Unset Status = iota
	OK
	Error
)

// A Span is one span as the target exported it.
type Span struct {
	Trace   [16]byte
	ID      [8]byte
	Parent  [8]byte // zero for a root
	Kind    Kind
	Name    string
	Start   int64 // Unix nanoseconds
	End     int64
	Status  Status
	Service string         // service.name of its resource
	Attrs   map[string]any // string, bool, int64, float64, []byte, []any or map[string]any
	Events  []Event
}

// An Event is a moment within a span.
type Event struct {
	Name  string
	Time  int64
	Attrs map[string]any
}

// Spans are what a file holds: each span once, by start, trace and id.
type Spans struct {
	List []Span
	// Complete says that the file is sealed and nothing was refused.
	Complete bool
	Counts   Counts
}

// seqOf gives the exchange of the run that a trace belongs to, leaving out
// health checks, probes and whatever the target does for itself.
func seqOf(trace [16]byte, run uint64) (uint64, bool) {
	id := exchange.FromTraceID(trace)
	return id.Seq, id.Run == run && id.Seq > 0 && id.Seq <= exchange.MaxSeq
}

// gatherer collects spans. An exporter that saw no answer sends a batch again;
// the copy that ended later holds.
type gatherer struct {
	wanted func(trace [16]byte) bool // nil: all
	at     map[[24]byte]int
	list   []Span
}

// read takes the spans of a file.
func (g *gatherer) read(r io.Reader) (s Spans, err error) {
	s.Counts, s.Complete, err = records(r, func(kind signal, payload []byte) error {
		if kind == traces {
			return g.export(payload)
		}
		return nil
	})
	return s, err
}

// export makes messages of the spans that are wanted, and of no others.
func (g *gatherer) export(payload []byte) error {
	return each(payload, within(1, func(resource []byte) error {
		var service string
		var r resourcepb.Resource
		err := each(resource, within(1, func(b []byte) error {
			err := proto.Unmarshal(b, &r)
			service, _ = attrs(r.GetAttributes())["service.name"].(string)
			return err
		}))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		return each(resource, within(2, func(scope []byte) error {
			return each(scope, within(2, func(b []byte) error { return g.span(b, service) }))
		}))
	}))
}

func (g *gatherer) span(b []byte, service string) error {
	if !named(b) {
		return nil // its exporter was told
	}
	if g.wanted != nil {
		var trace [16]byte
		err := each(b, within(1, func(id []byte) error { copy(trace[:], id); return nil }))
		if err != nil || !g.wanted(trace) {
			return err
		}
	}
	var p tracepb.Span
	if err := proto.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	g.add(&p, service)
	return nil
}

func (g *gatherer) add(p *tracepb.Span, service string) {
	s := Span{
		Kind: Kind(p.GetKind()), Name: p.GetName(), Service: service, Attrs: attrs(p.GetAttributes()),
		Start: int64(p.GetStartTimeUnixNano()), End: int64(p.GetEndTimeUnixNano()), Status: Status(p.GetStatus().GetCode()),
	}
	copy(s.Trace[:], p.GetTraceId())
	copy(s.ID[:], p.GetSpanId())
	copy(s.Parent[:], p.GetParentSpanId())
	for _, e := range p.GetEvents() {
		s.Events = append(s.Events, Event{e.GetName(), int64(e.GetTimeUnixNano()), attrs(e.GetAttributes())})
	}
	key := [24]byte(append(s.Trace[:], s.ID[:]...))
	if i, ok := g.at[key]; ok {
		if s.End > g.list[i].End {
			g.list[i] = s
		}
		return
	}
	g.at[key] = len(g.list)
	g.list = append(g.list, s)
}

func (g *gatherer) sorted() []Span {
	slices.SortFunc(g.list, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), slices.Compare(a.Trace[:], b.Trace[:]), slices.Compare(a.ID[:], b.ID[:]))
	})
	return g.list
}

func attrs(list []*commonpb.KeyValue) map[string]any {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]any, len(list))
	for _, kv := range list {
		m[kv.GetKey()] = value(kv.GetValue())
	}
	return m
}

func value(v *commonpb.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_BoolValue:
		return v.BoolValue
	case *commonpb.AnyValue_IntValue:
		return v.IntValue
	case *commonpb.AnyValue_DoubleValue:
		return v.DoubleValue
	case *commonpb.AnyValue_BytesValue:
		return v.BytesValue
	case *commonpb.AnyValue_ArrayValue:
		list := make([]any, 0, len(v.ArrayValue.GetValues()))
		for _, e := range v.ArrayValue.GetValues() {
			list = append(list, value(e))
		}
		return list
	case *commonpb.AnyValue_KvlistValue:
		return maps.Clone(attrs(v.KvlistValue.GetValues()))
	}
	return nil
}
