package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ConfigState is a snapshot of which configuration is in force.
type ConfigState struct {
	Generation uint64 // of the one in force, from 1
	InUse      int    // generations that exchanges still use, that one included
	Accepted   uint64 // reloads
	Refused    uint64 // reloads
	LastOK     bool   // whether the last attempt was accepted
	// LastAccepted is when the one in force came.
	LastAccepted time.Time
}

// WatchConfig adds the state of the configuration to the metrics. read is
// called at each scrape. WatchConfig may be called once.
func (t *Telemetry) WatchConfig(read func() ConfigState) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	t.registry.MustRegister(&configs{
		read:       read,
		generation: desc(MetricGeneration, "Number of the configuration in force, from 1 at the start."),
		inUse:      desc(MetricGenerations, "Configurations that exchanges still use, the one in force included."),
		reloads:    desc(MetricReloads, "Attempts to replace the configuration, by outcome.", LabelOutcome),
		ok:         desc(MetricReloadOK, "Whether the last attempt to replace the configuration was accepted."),
		when:       desc(MetricReloadTime, "When the configuration in force was put there."),
	})
}

// configs reads the state when scraped.
type configs struct {
	read                                 func() ConfigState
	generation, inUse, reloads, ok, when *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *configs) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.generation, c.inUse, c.reloads, c.ok, c.when} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *configs) Collect(ch chan<- prometheus.Metric) {
	s := c.read()
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(c.generation, float64(s.Generation))
	gauge(c.inUse, float64(s.InUse))
	last := 0.0
	if s.LastOK {
		last = 1
	}
	gauge(c.ok, last)
	gauge(c.when, float64(s.LastAccepted.UnixMilli())/1000)
	ch <- prometheus.MustNewConstMetric(c.reloads, prometheus.CounterValue, float64(s.Accepted), "accepted")
	ch <- prometheus.MustNewConstMetric(c.reloads, prometheus.CounterValue, float64(s.Refused), "refused")
}
