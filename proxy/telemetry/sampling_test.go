package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"gauntlet/proxy/transport"
)

// collected keeps the spans it is given.
type collected struct {
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

func (c *collected) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, spans...)
	return nil
}

func (*collected) Shutdown(context.Context) error { return nil }

// exchange makes one with two attempts and returns what was exported of it.
func exchange(t *testing.T, o Options, h http.Header, e Ended) ([]sdktrace.ReadOnlySpan, *Telemetry, *transport.Attempt) {
	c := &collected{}
	o.Interval, o.Exporter = time.Hour, func(Exporter) Exporter { return c }
	tel, err := New(t.Context(), o)
	require.NoError(t, err)
	req, err := http.NewRequest(http.MethodGet, "/", nil)
	require.NoError(t, err)
	req.Header = h
	ctx, span := tel.StartServer(req, time.Now())
	var last *transport.Attempt
	for n := range 2 {
		last = &transport.Attempt{Number: n + 1}
		out := req.WithContext(transport.WithAttempt(ctx, last))
		out.Header = http.Header{}
		_, _ = tel.Attempts(nowhere{}).RoundTrip(out)
		if n == 0 {
			last.Done(nil)
		}
		require.Equal(t, span.sc.IsSampled(), extract(out.Header).IsSampled(), "who is called is told")
	}
	last.Done(nil)
	e.Trace, e.Method, e.Started = span.Trace, "GET", time.Now()
	tel.Begin()
	tel.End(&e)
	span.Finish(&e)
	require.NoError(t, tel.Close(t.Context()))
	return c.spans, tel, last
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, transport.ErrClientGone }

// TestSamplers: who is recorded, by sampler, decision of the caller, and what
// came of the exchange. What is an exemplar is also exported.
func TestSamplers(t *testing.T) {
	caller := func(flags string) http.Header {
		return http.Header{headerParent: {"00-" + someTrace + "-" + someSpan + "-" + flags}} // by its id in the last tenth
	}
	keep := Keep{Errors: true, Slow: time.Second}
	fine, failed, slow := Ended{Status: 200}, Ended{Status: 502, Class: "connect_refused"}, Ended{Status: 200, Took: time.Second}
	for name, c := range map[string]struct {
		o    Options
		h    http.Header
		e    Ended
		want bool
	}{
		"always":                         {Options{Sampler: SampleAlways}, caller("00"), fine, true},
		"never":                          {Options{Sampler: SampleNever, Sample: 1, Keep: keep}, caller("01"), failed, false},
		"parent says yes":                {Options{}, caller("01"), fine, true},
		"parent says no":                 {Options{Sample: 1}, caller("00"), fine, false},
		"parent says no, failed":         {Options{Sample: 1, Keep: keep}, caller("00"), failed, true},
		"parent says no, slow":           {Options{Sample: 1, Keep: keep}, caller("00"), slow, true},
		"parent says no, failed, no one": {Options{Sample: 1}, caller("00"), failed, false},
		"no parent":                      {Options{Sampler: SampleParent, Sample: 1}, http.Header{}, fine, true},
		"no parent, share of 0":          {Options{Keep: keep}, http.Header{}, fine, false},
		"no parent, share of 0, cut":     {Options{Keep: keep}, http.Header{}, Ended{Status: 200, Aborted: true}, true},
		"no parent, share of 0, left":    {Options{Keep: keep}, http.Header{}, Ended{Status: 499, Class: "client_gone"}, true},
		"no parent, share of 0, 404":     {Options{Keep: keep}, http.Header{}, Ended{Status: 404, Class: "no_route"}, false},
		"ratio, id within":               {Options{Sampler: SampleRatio, Sample: .01}, http.Header{headerParent: {"00-" + someTrace[:16] + "0000000000000001-" + someSpan + "-00"}}, fine, true},
		"ratio, id beyond":               {Options{Sampler: SampleRatio, Sample: .99}, http.Header{headerParent: {"00-" + someTrace[:16] + "ffffffffffffffff-" + someSpan + "-01"}}, fine, false},
	} {
		t.Run(name, func(t *testing.T) {
			spans, tel, _ := exchange(t, c.o, c.h, c.e)
			if !c.want {
				require.Empty(t, spans)
				require.Zero(t, exemplars(t, tel.registry, MetricDuration))
				return
			}
			require.Len(t, spans, 3)
			require.Equal(t, 1, exemplars(t, tel.registry, MetricDuration))
			root := spans[2]
			require.Equal(t, trace.SpanKindServer, root.SpanKind())
			require.Equal(t, 2, root.ChildSpanCount())
			for _, s := range spans[:2] {
				require.Equal(t, root.SpanContext().SpanID(), s.Parent().SpanID())
			}
		})
	}
}

// As many are sampled as were asked for.
func TestRatioIsAShare(t *testing.T) {
	s := newSampling(Options{Sampler: SampleRatio, Sample: .25})
	n := 0
	const all = 20_000
	for range all {
		if s.sampled(trace.SpanContext{}, child(trace.SpanContext{}).TraceID()) {
			n++
		}
	}
	require.InDelta(t, all/4, n, all/50, "five standard deviations and more")
}

// An exchange with more attempts than it may hold back tells of the loss.
func TestHeldAttemptsAreBounded(t *testing.T) {
	c := &collected{}
	tel, err := New(t.Context(), Options{Keep: Keep{Errors: true}, Interval: time.Hour, Exporter: func(Exporter) Exporter { return c }})
	require.NoError(t, err)
	req, err := http.NewRequest(http.MethodGet, "/", nil)
	require.NoError(t, err)
	_, span := tel.StartServer(req, time.Now())
	for range maxKept + 5 {
		span.attempt(tel.tracing.begin(trace.SpanKindClient, child(span.sc), span.sc, time.Now()))
	}
	for i := range maxEvents + 3 {
		tel.Event(trace.ContextWithSpan(t.Context(), span), fmt.Sprint("event ", i))
	}
	span.Finish(&Ended{Status: 500})
	late := tel.tracing.begin(trace.SpanKindClient, child(span.sc), span.sc, time.Now())
	span.attempt(late)
	require.NoError(t, tel.Close(t.Context()))
	require.Len(t, c.spans, maxKept+2)
	require.InDelta(t, 5, sum(tel.metrics.dropped), 0)
	root := c.spans[maxKept]
	require.Len(t, root.Events(), maxEvents)
	require.Equal(t, 3, root.DroppedEvents())
	require.Same(t, late, c.spans[maxKept+1], "one that ends after its exchange shares its fate")
}
