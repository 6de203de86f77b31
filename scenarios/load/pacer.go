package load

import (
	"context"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// pacer hands Vegeta the plan. It waits by itself, so that the end of ctx cuts
// a wait short, and goes by the count alone: Vegeta's own clock, which ends an
// attack when the time is over however much of it is unsent, is switched off
// by a duration of 0.
type pacer struct {
	ctx    context.Context
	enough <-chan struct{}
	load   *Load
	begin  time.Time // of the load
	plan   []time.Duration
	last   time.Time // nothing starts after it
}

var _ vegeta.Pacer = (*pacer)(nil)

// Pace implements vegeta.Pacer: it returns when the next request is due.
func (p *pacer) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= uint64(len(p.plan)) || p.ctx.Err() != nil || time.Now().After(p.last) {
		return 0, true
	}
	select {
	case <-p.enough:
		return 0, true
	default:
	}
	wait := time.Until(p.begin.Add(p.plan[hits]))
	if wait <= 0 {
		return 0, false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return 0, false
	case <-p.enough:
		return 0, true
	case <-p.ctx.Done():
		return 0, true
	}
}

// Rate implements vegeta.Pacer.
func (p *pacer) Rate(time.Duration) float64 { return p.load.RateAt(time.Since(p.begin)) }
