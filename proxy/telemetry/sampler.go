package telemetry

import (
	"encoding/binary"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// A Sampler says which traces are recorded when they begin.
type Sampler string

// The samplers.
const (
	// SampleParent keeps the decision that a trace arrives with, and decides
	// about new ones by SampleRatio.
	SampleParent Sampler = "parent"
	// SampleRatio decides by the trace id, whatever a trace arrives with, so
	// that all who use the same share decide alike.
	SampleRatio Sampler = "ratio"
	// SampleAlways records everything.
	SampleAlways Sampler = "always"
	// SampleNever records nothing, Keep or not.
	SampleNever Sampler = "never"
)

// Keep says which exchanges are recorded though their trace was not sampled.
// It is decided when they end, so only the proxy's own spans are kept: those
// upstream were told in time that nobody wants theirs.
type Keep struct {
	// Errors keeps those that failed: a 5xx, an answer that was cut, a client
	// that left.
	Errors bool
	// Slow keeps those that took so long; 0: none.
	Slow time.Duration
}

// sampling decides.
type sampling struct {
	sampler Sampler
	share   float64
	keep    Keep
}

func newSampling(o Options) sampling {
	s := sampling{sampler: o.Sampler, keep: o.Keep, share: o.Sample}
	if s.sampler == "" {
		s.sampler = SampleParent
	}
	return s
}

// sampled decides about a trace that begins here, or came from parent.
func (s *sampling) sampled(parent trace.SpanContext, id trace.TraceID) bool {
	switch s.sampler {
	case SampleAlways:
		return true
	case SampleNever:
		return false
	case SampleParent:
		if parent.IsValid() {
			return parent.IsSampled()
		}
	case SampleRatio:
	}
	return within(s.share, id)
}

// within decides by a trace id as the SDK's TraceIDRatioBased does, so that the
// same share is the same traces everywhere.
func within(share float64, id trace.TraceID) bool {
	return binary.BigEndian.Uint64(id[8:])>>1 < uint64(max(0, min(share, 1))*(1<<63))
}

// late reports whether exchanges may be kept at their end.
func (s *sampling) late() bool {
	return s.sampler != SampleNever && (s.keep.Errors || s.keep.Slow > 0)
}

// kept decides about an exchange that was not sampled, at its end.
func (s *sampling) kept(e *Ended) bool {
	if s.sampler == SampleNever {
		return false
	}
	return s.keep.Errors && (e.Failed() || e.Status == clientGone) || s.keep.Slow > 0 && e.Took >= s.keep.Slow
}

// clientGone is the status of an exchange whose client left before it had one.
const clientGone = 499
