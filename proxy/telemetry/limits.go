package telemetry

import "github.com/prometheus/client_golang/prometheus"

// LimitState is a snapshot of an upstream's limit on exchanges under way.
type LimitState struct {
	Upstream       string
	InUse, Waiting int
}

// WatchLimits adds the state of the limits to the metrics. read is called at
// each scrape. WatchLimits may be called once.
func (t *Telemetry) WatchLimits(read func() []LimitState) {
	t.registry.MustRegister(&limits{read, prometheus.NewDesc(MetricLimit,
		"Exchanges that count towards an upstream's limit: in use, or waiting for a place.", []string{LabelUpstream, LabelState}, nil)})
}

type limits struct {
	read func() []LimitState
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (l *limits) Describe(ch chan<- *prometheus.Desc) { ch <- l.desc }

// Collect implements prometheus.Collector.
func (l *limits) Collect(ch chan<- prometheus.Metric) {
	for _, s := range l.read() {
		ch <- prometheus.MustNewConstMetric(l.desc, prometheus.GaugeValue, float64(s.InUse), s.Upstream, "in_use")
		ch <- prometheus.MustNewConstMetric(l.desc, prometheus.GaugeValue, float64(s.Waiting), s.Upstream, "waiting")
	}
}
