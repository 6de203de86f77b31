package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gauntlet/chaos/process"
)

// ErrCollector is wrapped by what goes wrong with the collector itself.
var ErrCollector = errors.New("collector")

// collectorConfig keeps nothing back: an export is answered when it has been
// passed on, so that what the proxy takes for exported has arrived.
const collectorConfig = `receivers: {otlp: {protocols: {http: {endpoint: %q}}}}
exporters: {otlp_http: {endpoint: %q, sending_queue: {enabled: false}}}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http]}
    metrics: {receivers: [otlp], exporters: [otlp_http]}
    logs: {receivers: [otlp], exporters: [otlp_http]}
`

// A Collector is a running OpenTelemetry Collector. Whoever started it stops it.
type Collector struct {
	Endpoint string // URL that takes OTLP over HTTP
	proc     *process.Process
}

// StartCollector runs the program in a directory of its own, so that it passes
// on to the URL to what it is sent.
func StartCollector(ctx context.Context, program, dir, to string, supervisor []string) (*Collector, error) {
	address, err := free(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCollector, err)
	}
	config := filepath.Join(dir, "collector.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, collectorConfig, address, to), 0o644); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCollector, err)
	}
	c := &Collector{Endpoint: "http://" + address}
	log := filepath.Join(dir, "collector.log")
	c.proc, err = process.Start(context.WithoutCancel(ctx), process.Spec{Args: []string{program, "--config=file:" + config}, Log: log, Supervisor: supervisor})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCollector, err)
	}
	if err := listens(ctx, address, c.proc.Exited()); err != nil {
		said, _ := os.ReadFile(log) // what it said, if anything
		return nil, fmt.Errorf("%w: %w: %s", ErrCollector, errors.Join(err, c.Stop()), said)
	}
	return c, nil
}

// Stop ends it.
func (c *Collector) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), answerIn)
	defer cancel()
	if err := c.proc.Kill(ctx); err != nil {
		return fmt.Errorf("%w: stop: %w", ErrCollector, err)
	}
	return nil
}
