package telemetry

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"gauntlet/proxy/telemetry/otlp"
)

var (
	errBusy    = &otlp.Error{Again: true, Err: otlp.ErrRefused}
	errDown    = &otlp.Error{Again: true, Err: otlp.ErrUnreachable}
	errInvalid = &otlp.Error{Err: otlp.ErrRefused}
)

// TestDelivery: how often it is tried, after which waits, and what is counted.
func TestDelivery(t *testing.T) {
	for name, c := range map[string]struct {
		errs   []error // the last one for ever
		tries  int
		took   time.Duration
		reason string
		lost   float64
	}{
		"taken":                 {[]error{nil}, 1, 0, "", 0},
		"busy at first":         {[]error{errBusy, errBusy, nil}, 3, 750 * time.Millisecond, "", 0},
		"busy for good":         {[]error{errBusy}, 5, 3750 * time.Millisecond, DroppedRefused, 10},
		"down":                  {[]error{errDown}, 5, 3750 * time.Millisecond, DroppedUnreachable, 10},
		"says when":             {[]error{&otlp.Error{Again: true, After: 2 * time.Second, Err: otlp.ErrRefused}, nil}, 2, 2 * time.Second, "", 0},
		"asks for too much":     {[]error{&otlp.Error{Again: true, After: time.Hour, Err: otlp.ErrRefused}}, 3, 10 * time.Second, DroppedRefused, 10},
		"will not have it":      {[]error{errInvalid}, 1, 0, DroppedRefused, 10},
		"takes a part":          {[]error{&otlp.Error{Rejected: 3, Err: otlp.ErrRefused}}, 1, 0, DroppedRejected, 3},
		"rejects more than all": {[]error{&otlp.Error{Rejected: 99, Err: otlp.ErrRefused}}, 1, 0, DroppedRejected, 10},
		"does not answer":       {[]error{fmt.Errorf("x: %w", context.DeadlineExceeded)}, 1, 0, DroppedTimeout, 10},
		"another's exporter":    {[]error{errors.New("x")}, 1, 0, DroppedFailed, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMetrics(prometheus.NewRegistry())
				d := m.newDelivery("x")
				defer d.cancel()
				tries, started := 0, time.Now()
				d.deliver(10, func(context.Context) error {
					tries++
					return c.errs[min(tries, len(c.errs))-1]
				})
				require.Equal(t, c.tries, tries)
				require.Equal(t, c.took, time.Since(started))
				require.InDelta(t, 10-c.lost, sum(m.exported), 0)
				require.InDelta(t, c.lost, sum(m.dropped), 0)
				if c.reason != "" {
					require.InDelta(t, c.lost, sum(m.dropped.WithLabelValues("x", c.reason)), 0)
				}
			})
		})
	}
}

// TestDeliveryAtTheStop: one more try at once, and no wait longer than the stop
// allows.
func TestDeliveryAtTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(prometheus.NewRegistry())
		a := newAsyncLines(m.newDelivery("x"), time.Second, func(context.Context, []byte) error { return errBusy })
		a.add([]byte("x"))
		time.Sleep(1100 * time.Millisecond) // in its first wait
		started := time.Now()
		require.NoError(t, a.close(t.Context()))
		require.Zero(t, time.Since(started))
		require.InDelta(t, 1, sum(m.dropped.WithLabelValues("x", DroppedRefused)), 0)

		m = newMetrics(prometheus.NewRegistry())
		a = newAsyncLines(m.newDelivery("x"), time.Second, func(ctx context.Context, _ []byte) error {
			<-ctx.Done() // a collector that takes it and never answers
			return ctx.Err()
		})
		a.add([]byte("x"))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.ErrorIs(t, a.close(ctx), context.DeadlineExceeded)
		<-a.done
		require.InDelta(t, 1, sum(m.dropped.WithLabelValues("x", DroppedTimeout)), 0)
	})
}
