package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// maxMetrics bounds a scrape, in bytes.
const maxMetrics = 16 << 20

// families is what a target's metrics were at one moment.
type families []*dto.MetricFamily

// scrape reads the target's metrics: as messages, which carry exemplars, from
// one that offers them, else as text.
func scrape(ctx context.Context, url string) (families, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("scrape metrics: %w", err)
	}
	req.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.8,text/plain;version=0.0.4;q=0.5")
	resp, err := oneShot().Do(req)
	if err != nil {
		return nil, fmt.Errorf("scrape metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("scrape metrics: %s answered %s", url, resp.Status)
	}
	all, err := decode(expfmt.NewDecoder(io.LimitReader(resp.Body, maxMetrics), expfmt.ResponseFormat(resp.Header)))
	if err != nil {
		return nil, fmt.Errorf("scrape metrics: %w", err)
	}
	return all, nil
}

func decode(d expfmt.Decoder) (all families, err error) {
	for {
		f := new(dto.MetricFamily)
		switch err := d.Decode(f); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, f)
	}
}

// save keeps them as evidence.
func (all families) save(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("keep metrics: %w", err)
	}
	e := expfmt.NewEncoder(f, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for _, family := range all {
		err = errors.Join(err, e.Encode(family))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep metrics: %w", err)
	}
	return nil
}

// sum adds up the series of a family that have these labels; ok is false when
// there is no such family.
func (all families) sum(name string, labels map[string]string) (sum float64, ok bool) {
	for _, f := range all {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if hasLabels(m, labels) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
			}
		}
		return sum, true
	}
	return 0, false
}

// sample is a look at the metrics that we have words for.
func (all families) sample(words map[string]targets.Gauge) map[string]float64 {
	out := make(map[string]float64, len(words))
	for ours, g := range words {
		if v, ok := all.sum(g.Name, g.Labels); ok {
			out[ours] = v
		}
	}
	return out
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

// keep saves a look at the target under that name ("before", "after").
func (s *stage) keep(when string, all families) {
	if all != nil {
		s.fail(all.save(s.engine.cfg.Dir.Metrics(s.c.ref, when)))
	}
}

// counted is what the target has counted of exchanges that ended.
func (t *instance) counted(all families, m evidence.Meter) float64 {
	n, _ := all.sum(m.Requests, m.Where["requests"])
	return n
}
