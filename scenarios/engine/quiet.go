package engine

import (
	"context"
	"slices"
	"time"

	"gauntlet/scenarios/evidence"
)

const (
	// quietFor is how long a target may take, after its clients have gone, to
	// count what they sent and to export what it has recorded.
	quietFor = 3 * time.Second
	// quietEvery is the time between two looks.
	quietEvery = 25 * time.Millisecond
	// unchanged is how many looks in a row must be alike when some exchanges
	// may never be counted: their connection was never accepted, for one.
	unchanged = 12
)

// quiet looks at the target's metrics until everything that the clients sent
// has been counted, nothing is under way and every span was exported, or
// nothing changes any more, or the time is over. A target that was told to end,
// or that ended, is not asked.
func (s *stage) quiet(ctx context.Context) {
	t := s.target
	switch {
	case t.ended():
		return
	case t.plan.Prometheus == "" && t.exports():
		s.calmDown(ctx)
		return
	case t.plan.Prometheus == "":
		return
	}
	limit := time.Now().Add(quietFor)
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	alike, before, calm := 0, 0.0, false
	for {
		sample, all, err := t.look(ctx)
		if err != nil {
			if !t.ended() && ctx.Err() == nil {
				s.fail(err)
			}
			return
		}
		now := t.counted(all, t.plan.Says.Meter)
		if alike++; now != before {
			alike, before = 0, now
		}
		due := s.scraped + float64(s.ids.Sent())
		// A target counts an exchange in several metrics one after the other, and
		// a scrape reads them likewise: the first one that shows rest may have
		// come between, the next one has not.
		was := calm
		calm = s.rested(&sample) && (now >= due || alike >= unchanged)
		if was && calm || time.Now().After(limit) {
			t.mu.Lock()
			t.facts.Quiet = &sample
			t.mu.Unlock()
			s.keep("after", all)
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// unseenFor is how long a target that nobody can look at is left alone after its
// clients have ended. What it exports later is believed to tell all of them; see
// audit.
const unseenFor = time.Second

// calmDown lets a target count what it has sent. There is no event to wait for:
// all that it tells, it tells in its own time.
func (s *stage) calmDown(ctx context.Context) {
	left := time.NewTimer(time.Until(time.Unix(0, s.facts.End).Add(unseenFor)))
	defer left.Stop()
	select {
	case <-left.C:
	case <-ctx.Done():
	}
}

// exports reports whether the target tells its metrics or its log by OTLP.
func (t *instance) exports() bool {
	return slices.Contains(t.plan.Telemetry, "otlp_metrics") || slices.Contains(t.plan.Telemetry, "otlp_logs")
}

// rested reports whether nothing is under way and no span waits.
func (s *stage) rested(now *evidence.Sample) bool {
	m := now.Metrics
	return m["inflight"] <= s.target.facts.Baseline.Metrics["inflight"] && m["spans_recorded"] <= m["spans_exported"]+m["spans_dropped"]
}

// ended reports whether somebody told the target to end, or it has ended and
// no other process has taken its place.
func (t *instance) ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked || t.proc == nil {
		return t.asked
	}
	_, gone := t.proc.Exit()
	return gone && !t.facts.Replaced
}
