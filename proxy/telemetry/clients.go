package telemetry

import "github.com/prometheus/client_golang/prometheus"

// ClientState counts the client connections.
type ClientState struct{ Open, Busy int }

// WatchClients adds the client connections to the metrics. read is called at
// each scrape. WatchClients may be called once.
func (t *Telemetry) WatchClients(read func() ClientState) {
	t.registry.MustRegister(&clients{read, prometheus.NewDesc(MetricClients,
		"Client connections: busy with a request or a tunnel, or idle, those still greeting included.", []string{LabelState}, nil)})
}

type clients struct {
	read func() ClientState
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *clients) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect implements prometheus.Collector.
func (c *clients) Collect(ch chan<- prometheus.Metric) {
	s := c.read()
	ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(s.Busy), "busy")
	ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(max(s.Open-s.Busy, 0)), "idle")
}
