package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"gauntlet/scenarios/targets"
)

// maxMetrics bounds a scrape, in bytes.
const maxMetrics = 16 << 20

// scrape reads the target's metrics and sums each gauge of ours over the
// series that have its labels.
func scrape(ctx context.Context, url string, gauges map[string]targets.Gauge) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("scrape metrics: %w", err)
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4")
	resp, err := oneShot().Do(req)
	if err != nil {
		return nil, fmt.Errorf("scrape metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("scrape metrics: %s answered %s", url, resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(resp.Body, maxMetrics))
	if err != nil {
		return nil, fmt.Errorf("scrape metrics: %w", err)
	}
	out := make(map[string]float64, len(gauges))
	for ours, g := range gauges {
		f, ok := families[g.Name]
		if !ok {
			continue
		}
		sum := 0.0
		for _, m := range f.GetMetric() {
			if hasLabels(m, g.Labels) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
			}
		}
		out[ours] = sum
	}
	return out, nil
}

// oneShot gives a client that keeps no connection, so that none of ours is
// counted among the target's descriptors for long.
func oneShot() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

func hasLabels(m *dto.Metric, want map[string]string) bool {
	found := 0
	for _, l := range m.GetLabel() {
		if v, ok := want[l.GetName()]; ok {
			if v != l.GetValue() {
				return false
			}
			found++
		}
	}
	return found == len(want)
}
