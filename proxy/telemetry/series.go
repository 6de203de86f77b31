package telemetry

import (
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Looking a metric up by its labels costs more than adding to it, so what was
// looked up once is kept. All labels are bounded, and so is what is kept.

// series are the metrics of exchanges with one method and status.
type series struct {
	requests prometheus.Counter
	duration prometheus.Observer
	// exemplified is when each bucket had an exemplar last, the last one for
	// beyond them all, in Unix nanoseconds.
	exemplified [bucketCount + 1]atomic.Int64
}

const (
	bucketCount = 9
	// exemplarEvery bounds how often a bucket takes an exemplar: a scrape sees
	// only the last one, and each costs more than the request's other metrics.
	exemplarEvery = 10 * time.Millisecond
)

// observe records how long an exchange took, sometimes with its trace.
func (s *series) observe(took time.Duration, trace Trace, now time.Time) {
	seconds := took.Seconds()
	i := 0
	for i < len(buckets) && seconds > buckets[i] {
		i++
	}
	last, at := s.exemplified[i].Load(), now.UnixNano()
	if at-last >= int64(exemplarEvery) && trace.Valid() && s.exemplified[i].CompareAndSwap(last, at) {
		if e, ok := s.duration.(prometheus.ExemplarObserver); ok {
			e.ObserveWithExemplar(seconds, prometheus.Labels{LabelTraceID: trace.TraceID()})
			return
		}
	}
	s.duration.Observe(seconds)
}

// methods are those that have a label of their own; all others share the one
// after them.
var methods = [...]string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect,
}

const (
	leastCode = 100
	mostCode  = 599
)

// table keeps the series of every method and status that occurred.
type table [len(methods) + 1][mostCode - leastCode + 2]atomic.Pointer[series]

// series are those of a method and a status.
func (m *metrics) series(method string, status int) *series {
	i := 0
	for i < len(methods) && methods[i] != method {
		i++
	}
	j := mostCode - leastCode + 1
	if status >= leastCode && status <= mostCode {
		j = status - leastCode
	}
	place := &m.table[i][j]
	if s := place.Load(); s != nil {
		return s
	}
	method, code := methodLabel(method), codeLabel(status)
	s := &series{requests: m.requests.WithLabelValues(method, code), duration: m.duration.WithLabelValues(method, code)}
	if place.CompareAndSwap(nil, s) {
		return s
	}
	return place.Load()
}

// counters keeps the counters of attempts. It is read without a lock.
type counters struct {
	known atomic.Pointer[map[counterKey]prometheus.Counter]
	mu    sync.Mutex
}

type counterKey struct{ upstream, endpoint, outcome string }

// get gives the counter of vec with these labels.
func (c *counters) get(vec *prometheus.CounterVec, key counterKey) prometheus.Counter {
	if known := c.known.Load(); known != nil {
		if one, ok := (*known)[key]; ok {
			return one
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[counterKey]prometheus.Counter{}
	if known := c.known.Load(); known != nil {
		maps.Copy(all, *known)
	}
	all[key] = vec.WithLabelValues(key.upstream, key.endpoint, key.outcome)
	c.known.Store(&all)
	return all[key]
}

// forget takes an endpoint out of vec, and out of what is kept of it: a kept
// counter would count on where nobody looks.
func (c *counters) forget(vec *prometheus.CounterVec, upstream, endpoint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	vec.DeletePartialMatch(prometheus.Labels{LabelUpstream: upstream, LabelEndpoint: endpoint})
	if known := c.known.Load(); known != nil {
		rest := maps.Clone(*known)
		maps.DeleteFunc(rest, func(k counterKey, _ prometheus.Counter) bool {
			return k.upstream == upstream && k.endpoint == endpoint
		})
		c.known.Store(&rest)
	}
}
