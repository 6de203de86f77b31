package telemetry

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// PoolState is a snapshot of one endpoint.
type PoolState struct {
	Upstream, Endpoint             string
	Idle, Leased, Waiting, Dialing int
	Dialed                         uint64
	// Breaker is 0 closed, 1 half-open, 2 open, -1 none.
	Breaker int
	// State is one of States.
	State     string
	Weight    float64
	Ejections uint64
}

// States lists what an endpoint may be, in the order of their numbers in
// MetricEndpoint.
func States() []string { return []string{"live", "ejected", "unhealthy", "draining"} }

// WatchPools adds the state of the pools to the metrics. read is called at
// each scrape. WatchPools may be called once.
func (t *Telemetry) WatchPools(read func() []PoolState) {
	labels := []string{LabelUpstream, LabelEndpoint}
	t.registry.MustRegister(&pools{
		read:    read,
		conns:   prometheus.NewDesc(MetricPool, "Upstream connections by state; waiting counts requests in the queue for one.", append(labels, LabelState), nil),
		dials:   prometheus.NewDesc(MetricDials, "Upstream connections opened.", labels, nil),
		breaker: prometheus.NewDesc(MetricBreaker, "Circuit breaker: 0 closed, 1 half-open, 2 open.", labels, nil),
		state:   prometheus.NewDesc(MetricEndpoint, "What the upstream thinks of an endpoint: 0 live, 1 ejected, 2 unhealthy, 3 draining.", labels, nil),
		weight:  prometheus.NewDesc(MetricWeight, "Share of an endpoint relative to the others', less than configured during a slow start.", labels, nil),
		ejected: prometheus.NewDesc(MetricEjections, "How often an endpoint was ejected.", labels, nil),
	})
}

// pools reads the pools when scraped, so that the figures cannot drift from
// the truth.
type pools struct {
	read                   func() []PoolState
	conns, dials, breaker  *prometheus.Desc
	state, weight, ejected *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (p *pools) Describe(ch chan<- *prometheus.Desc) {
	ch <- p.conns
	ch <- p.dials
	ch <- p.breaker
	ch <- p.state
	ch <- p.weight
	ch <- p.ejected
}

// Collect implements prometheus.Collector.
func (p *pools) Collect(ch chan<- prometheus.Metric) {
	for _, s := range p.read() {
		gauge := func(state string, n int) {
			ch <- prometheus.MustNewConstMetric(p.conns, prometheus.GaugeValue, float64(n), s.Upstream, s.Endpoint, state)
		}
		gauge("idle", s.Idle)
		gauge("leased", s.Leased)
		gauge("waiting", s.Waiting)
		gauge("dialing", s.Dialing)
		ch <- prometheus.MustNewConstMetric(p.dials, prometheus.CounterValue, float64(s.Dialed), s.Upstream, s.Endpoint)
		if s.Breaker >= 0 {
			ch <- prometheus.MustNewConstMetric(p.breaker, prometheus.GaugeValue, float64(s.Breaker), s.Upstream, s.Endpoint)
		}
		ch <- prometheus.MustNewConstMetric(p.state, prometheus.GaugeValue, float64(slices.Index(States(), s.State)), s.Upstream, s.Endpoint)
		ch <- prometheus.MustNewConstMetric(p.weight, prometheus.GaugeValue, s.Weight, s.Upstream, s.Endpoint)
		ch <- prometheus.MustNewConstMetric(p.ejected, prometheus.CounterValue, float64(s.Ejections), s.Upstream, s.Endpoint)
	}
}
