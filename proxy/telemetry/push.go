package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gauntlet/proxy/telemetry/otlp"
)

// pusher exports the metrics at intervals, and a last time at the stop.
type pusher struct {
	*delivery
	from     prometheus.Gatherer
	points   *otlp.Points
	interval time.Duration
	done     chan struct{}
	once     sync.Once
}

func newPusher(d *delivery, from prometheus.Gatherer, points *otlp.Points, interval time.Duration) *pusher {
	p := &pusher{delivery: d, from: from, points: points, interval: interval, done: make(chan struct{})}
	go p.run()
	return p
}

func (p *pusher) run() {
	defer close(p.done)
	tick := time.NewTicker(p.interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.push()
		case <-p.hurry:
			p.push()
			return
		}
	}
}

// push exports what the metrics are now. Those that could not be gathered are
// missing from it, and from the next scrape, too, which says why.
func (p *pusher) push() {
	families, _ := p.from.Gather()
	request, points, err := p.points.Encode(families, time.Now())
	p.recorded.Add(float64(points))
	p.deliver(points, func(ctx context.Context) error {
		if err != nil {
			return err
		}
		return p.points.Export(ctx, request)
	})
}

// close exports a last time and stops.
func (p *pusher) close(ctx context.Context) error {
	p.once.Do(func() { close(p.hurry) })
	defer p.cancel()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("export metrics: %w", context.Cause(ctx))
	}
}
