// Package watch puts a real Prometheus beside the reference proxy: it scrapes
// the proxy while scenarios drive it, evaluates rules and answers queries, so
// that alerts are seen to fire in the trouble they are for and to stay silent
// without it, and every query of a dashboard is seen to give data. Rules and
// queries are given to it; it knows none by itself.
package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"gauntlet/chaos/process"
)

// ErrPrometheus is wrapped by what goes wrong with Prometheus itself.
var ErrPrometheus = errors.New("prometheus")

const (
	scrapeEvery = 250 * time.Millisecond
	startWithin = 20 * time.Second
	answerIn    = 10 * time.Second
)

// A Prometheus is a running server. Whoever started it stops it.
type Prometheus struct {
	dir   string
	proc  *process.Process
	query v1.API
}

// A Source is what is scraped under /metrics.
type Source struct{ Job, Address string }

// Start runs the program prometheus with these rules in a directory of its own
// and returns when it scrapes the sources, whether they answer or not: it takes
// seconds to notice one that is named later.
func Start(ctx context.Context, dir string, rules []byte, sources []Source, supervisor []string) (*Prometheus, error) {
	p := &Prometheus{dir: dir}
	address, err := free(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrometheus, err)
	}
	var config strings.Builder
	_, _ = fmt.Fprintf(&config, "global: {scrape_interval: %s, evaluation_interval: %s}\nrule_files: [rules.yaml]\nscrape_configs:\n", model.Duration(scrapeEvery), model.Duration(2*scrapeEvery))
	for _, s := range sources {
		_, _ = fmt.Fprintf(&config, "  - {job_name: %q, static_configs: [{targets: [%q]}]}\n", s.Job, s.Address)
	}
	for name, text := range map[string][]byte{"prometheus.yaml": []byte(config.String()), "rules.yaml": rules} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPrometheus, err)
		}
	}
	// What is not scraped any more is gone at once, not after five minutes.
	p.proc, err = process.Start(context.WithoutCancel(ctx), process.Spec{
		Args: []string{
			"prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--web.listen-address=" + address,
			"--enable-feature=exemplar-storage", "--query.lookback-delta=2s", "--log.level=warn",
		},
		Dir: dir, Log: filepath.Join(dir, "prometheus.log"), Supervisor: supervisor,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrometheus, err)
	}
	client, err := api.NewClient(api.Config{Address: "http://" + address})
	if err == nil {
		p.query = v1.NewAPI(client)
		err = p.ready(ctx, len(sources))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrometheus, errors.Join(err, p.Stop()))
	}
	return p, nil
}

// free gives an address that nobody listens on.
func free(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// ready waits until it has scraped so many sources, or tried to.
func (p *Prometheus) ready(ctx context.Context, sources int) error {
	err := await(ctx, p.proc.Exited(), func(ctx context.Context) error {
		n, err := p.Series(ctx, "up", time.Now())
		if err == nil && n != sources {
			err = fmt.Errorf("%d of %d sources are scraped", n, sources)
		}
		return err
	})
	if err != nil {
		said, _ := os.ReadFile(filepath.Join(p.dir, "prometheus.log")) // what it said, if anything
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

// Series gives how many series a query had at a time.
func (p *Prometheus) Series(ctx context.Context, expr string, at time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	v, _, _, err := p.query.Query(ctx, expr, at)
	if err != nil {
		return 0, fmt.Errorf("%w: query %s: %w", ErrPrometheus, expr, err)
	}
	switch v := v.(type) {
	case model.Vector:
		return len(v), nil
	case *model.Scalar:
		return 1, nil
	}
	return 0, fmt.Errorf("%w: query %s: gives a %s", ErrPrometheus, expr, v.Type())
}

// Fired gives the alerts that fired at any time between two.
func (p *Prometheus) Fired(ctx context.Context, from, until time.Time) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	v, _, _, err := p.query.QueryRange(ctx, `ALERTS{alertstate="firing"}`, v1.Range{Start: from, End: until, Step: scrapeEvery})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrometheus, err)
	}
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("%w: alerts are a %s", ErrPrometheus, v.Type())
	}
	fired := map[string]bool{}
	for _, s := range m {
		fired[string(s.Metric[model.AlertNameLabel])] = true
	}
	return fired, nil
}

// Exemplars gives the trace ids of the exemplars that a query had between two
// times.
func (p *Prometheus) Exemplars(ctx context.Context, expr string, from, until time.Time) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	found, err := p.query.QueryExemplars(ctx, expr, from, until)
	if err != nil {
		return nil, fmt.Errorf("%w: exemplars of %s: %w", ErrPrometheus, expr, err)
	}
	var traces []string
	for _, f := range found {
		for _, e := range f.Exemplars {
			traces = append(traces, string(e.Labels["trace_id"]))
		}
	}
	return traces, nil
}

// Stop ends it.
func (p *Prometheus) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), answerIn)
	defer cancel()
	if err := p.proc.Kill(ctx); err != nil {
		return fmt.Errorf("%w: stop: %w", ErrPrometheus, err)
	}
	return nil
}
