package telemetry

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gauntlet/proxy/telemetry/otlp"
)

const (
	tries     = 5
	firstWait = 250 * time.Millisecond // doubled for each further try
	mostWait  = 4 * time.Second        // that a collector's wish is heeded for
	allTries  = 10 * time.Second       // of one delivery, waits included
)

// Why a record was dropped, the values of LabelReason in MetricDropped.
const (
	DroppedFull        = "queue_full"  // it found no room
	DroppedStopped     = "stopped"     // it came after the end
	DroppedTimeout     = "timeout"     // the collector did not answer, or the stop did not wait
	DroppedUnreachable = "unreachable" // nobody answered
	DroppedRefused     = "refused"     // the collector answered that it will not have it
	DroppedRejected    = "rejected"    // it took others of the same request
	DroppedFailed      = "failed"      // what was written to failed
)

// delivery brings records of one signal to where they go, and counts them.
type delivery struct {
	recorded, exported prometheus.Counter
	dropped, leftOut   *prometheus.CounterVec // by reason

	ctx    context.Context // of every try
	cancel context.CancelFunc
	hurry  chan struct{} // closed by the stop: nothing waits any more
}

func (m *metrics) newDelivery(signal string) *delivery {
	of := prometheus.Labels{LabelSignal: signal}
	d := &delivery{
		recorded: m.recorded.WithLabelValues(signal), exported: m.exported.WithLabelValues(signal),
		dropped: m.dropped.MustCurryWith(of), leftOut: m.leftOut.MustCurryWith(of),
		hurry: make(chan struct{}),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

func (d *delivery) drop(reason string, n int) {
	if n > 0 {
		d.dropped.WithLabelValues(reason).Add(float64(n))
	}
}

// deliver has try bring n records, again when that may help, and counts what
// became of them.
func (d *delivery) deliver(n int, try func(context.Context) error) {
	err := d.attempt(try)
	lost := n
	var e *otlp.Error
	switch {
	case err == nil:
		lost = 0
	case errors.As(err, &e) && e.Rejected > 0:
		lost = min(e.Rejected, n)
		d.drop(DroppedRejected, lost)
	case errors.Is(err, otlp.ErrRefused):
		d.drop(DroppedRefused, n)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		d.drop(DroppedTimeout, n)
	case errors.Is(err, otlp.ErrUnreachable):
		d.drop(DroppedUnreachable, n)
	default:
		d.drop(DroppedFailed, n)
	}
	d.exported.Add(float64(n - lost))
}

// attempt tries until it succeeds, or makes no sense, or takes too long. A stop
// allows one more try at once.
func (d *delivery) attempt(try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(d.ctx, allTries)
	defer cancel()
	wait := firstWait
	for n := 1; ; n++ {
		err := try(ctx)
		var e *otlp.Error
		if err == nil || !errors.As(err, &e) || !e.Again || n == tries || ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(max(wait, min(e.After, mostWait)))
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-d.hurry:
			n = tries - 1
		}
		timer.Stop()
		if ctx.Err() != nil {
			return err
		}
		wait *= 2
	}
}
