package telemetry

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
)

// maxSeries bounds the combinations of labels of each metric of exchanges and
// of attempts. The labels name what the configuration names, and statuses,
// which an upstream may choose: the combinations beyond the bound are counted
// together, as LabelOverflow.
const maxSeries = 4096

// exchangeKey are the labels of an exchange that has ended.
type exchangeKey struct {
	route, upstream, method, class string
	code                           int // 0: other
}

// exchangeSeries are the metrics of exchanges with the same labels.
type exchangeSeries struct {
	requests       counter
	duration       *histogram
	received, sent *histogram
}

func (m *metrics) newExchangeSeries(k exchangeKey) *exchangeSeries {
	labels := []string{k.route, k.upstream, k.method, codeLabel(k.code), k.class}
	return &exchangeSeries{
		requests: counter{to: m.requests.WithLabelValues(labels...)},
		duration: newHistogram(m.duration.WithLabelValues(labels...), secondBounds),
		received: newHistogram(m.received.WithLabelValues(k.route, k.upstream), byteBounds),
		sent:     newHistogram(m.sent.WithLabelValues(k.route, k.upstream), byteBounds),
	}
}

// end counts an exchange once, with the trace it is exported under.
func (s *exchangeSeries) end(e *Ended, exported Trace) {
	now := e.Started.Add(e.Took)
	of := exported
	if e.Class == "" && e.Status < 500 {
		of = Trace{} // exemplars of a counter are for errors
	}
	s.requests.inc(of, now)
	s.duration.observe(e.Took.Seconds(), exported, now)
	s.received.observe(float64(e.Received), exported, now)
	s.sent.observe(float64(e.Sent), exported, now)
}

// attemptKey are the labels of an attempt that has ended.
type attemptKey struct{ upstream, endpoint, outcome string }

// attemptSeries are the metrics of attempts with the same labels.
type attemptSeries struct {
	attempts counter
	duration *histogram
	phases   [len(phases)]prometheus.Observer
}

// phases of an attempt, in the order of transport.Attempt's fields.
var (
	phases     = [...]string{"queue", "dial", "tls", "write", "first_byte", "body"}
	phaseAttrs = [len(phases)]attribute.Key{AttrQueue, AttrDial, AttrTLS, AttrWrite, AttrFirstByte, AttrBody}
)

func (m *metrics) newAttemptSeries(k attemptKey) *attemptSeries {
	s := &attemptSeries{
		attempts: counter{to: m.attempts.WithLabelValues(k.upstream, k.endpoint, k.outcome)},
		duration: newHistogram(m.attemptDuration.WithLabelValues(k.upstream, k.outcome), secondBounds),
	}
	for i, p := range phases {
		s.phases[i] = m.phase.WithLabelValues(k.upstream, p)
	}
	return s
}

// end counts an attempt once. The phases that it did not come to are 0.
func (s *attemptSeries) end(took time.Duration, spent [len(phases)]time.Duration, failed bool, exported Trace, now time.Time) {
	of := exported
	if !failed {
		of = Trace{}
	}
	s.attempts.inc(of, now)
	s.duration.observe(took.Seconds(), exported, now)
	for i, d := range spent {
		if d > 0 {
			s.phases[i].Observe(d.Seconds())
		}
	}
}

// methods are those that have a label of their own; all others share one.
var methods = [...]string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect,
}

const (
	leastCode = 100
	mostCode  = 599
)

// methodLabel bounds the method label: a client chooses its methods.
func methodLabel(method string) string {
	if slices.Contains(methods[:], method) {
		return method
	}
	return "other"
}

// codeLabel bounds the code label: an upstream chooses its codes.
func codeLabel(status int) string {
	if status < leastCode || status > mostCode {
		return "other"
	}
	return strconv.Itoa(status)
}
