package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gauntlet/reports"
	"gauntlet/scenarios/engine"
)

// runMetrics tells Prometheus how far a run is. Whoever serves it closes it.
type runMetrics struct {
	planned, running prometheus.Gauge
	cases, seconds   *prometheus.CounterVec
	server           *http.Server
	served           chan error
	address          string
}

const metricsTimeout = 5 * time.Second

// serveRunMetrics serves the metrics of a run at address under /metrics. An
// address without a host is on loopback.
func serveRunMetrics(ctx context.Context, address string, cases int) (*runMetrics, error) {
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, usage(fmt.Errorf("--metrics: %w", err))
	}
	r := prometheus.NewRegistry()
	m := &runMetrics{
		planned: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gauntlet_run_cases_planned", Help: "Cases of this run."}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gauntlet_run_cases_running", Help: "Cases under way."}),
		cases:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gauntlet_run_cases_total", Help: "Cases done, by family and verdict."}, []string{"family", "verdict"}),
		seconds: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gauntlet_run_case_seconds_total", Help: "Time that cases took, by family."}, []string{"family"}),
		served:  make(chan error, 1), address: l.Addr().String(),
	}
	r.MustRegister(m.planned, m.running, m.cases, m.seconds)
	m.planned.Set(float64(cases))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	m.server = &http.Server{Handler: mux, ReadTimeout: metricsTimeout, WriteTimeout: metricsTimeout, IdleTimeout: time.Minute}
	go func() { m.served <- m.server.Serve(l) }()
	return m, nil
}

// CaseStarted implements engine.Progress.
func (m *runMetrics) CaseStarted(string, string, time.Duration) { m.running.Inc() }

// CaseDone implements engine.Progress.
func (m *runMetrics) CaseDone(scenario, _ string, verdict reports.Verdict, took time.Duration, _ string) {
	family, _, _ := strings.Cut(scenario, "/")
	m.running.Dec()
	m.cases.WithLabelValues(family, string(verdict)).Inc()
	m.seconds.WithLabelValues(family).Add(took.Seconds())
}

// Note implements engine.Progress.
func (m *runMetrics) Note(string) {}

// Close answers what is being scraped and ends.
func (m *runMetrics) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), metricsTimeout)
	defer cancel()
	err := m.server.Shutdown(ctx)
	if served := <-m.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// both tells two.
type both struct{ a, b engine.Progress }

func (p both) CaseStarted(scenario, name string, planned time.Duration) {
	p.a.CaseStarted(scenario, name, planned)
	p.b.CaseStarted(scenario, name, planned)
}

func (p both) CaseDone(scenario, name string, v reports.Verdict, took time.Duration, summary string) {
	p.a.CaseDone(scenario, name, v, took, summary)
	p.b.CaseDone(scenario, name, v, took, summary)
}

func (p both) Note(text string) {
	p.a.Note(text)
	p.b.Note(text)
}
