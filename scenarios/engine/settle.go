package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gauntlet/scenarios/evidence"
)

// errUnknownAct is wrapped when an action has no meaning here.
var errUnknownAct = errors.New("unknown act")

// failFrom is fail for goroutines beside the clients.
func (s *stage) failFrom(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail(err)
}

// baseline looks at the target before any client came.
func (s *stage) baseline(ctx context.Context) error {
	sample, all, err := s.target.look(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTarget, err)
	}
	s.keep("before", all)
	s.scraped = s.target.counted(all, s.target.plan.Says.Meter)
	s.target.mu.Lock()
	defer s.target.mu.Unlock()
	s.target.facts.Baseline = &sample
	return nil
}

// sampleEvery is the time between two looks while the target settles.
const sampleEvery = 100 * time.Millisecond

// settle looks at the target after the clients have ended until it has come to
// rest or the time that the expectations speak of is over. A case that asks
// nothing about it is not kept waiting.
func (s *stage) settle(ctx context.Context) {
	limit := s.c.Settle()
	if limit == 0 || s.target.proc == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	calm := 0
	for {
		if _, gone := s.target.proc.Exit(); gone && !s.target.replaced() {
			return
		}
		sample, err := s.target.sample(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return
		case err != nil:
			s.fail(err)
			return
		}
		s.target.mu.Lock()
		s.target.facts.Samples = append(s.target.facts.Samples, sample)
		s.target.mu.Unlock()
		if calm = s.calm(calm, &sample); calm >= 3 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// calm counts the looks in a row at which nothing was held for a client any
// more.
func (s *stage) calm(n int, now *evidence.Sample) int {
	base := s.target.facts.Baseline
	for _, held := range []string{"pool_leased", "pool_waiting", "inflight"} {
		if now.Metrics[held] > base.Metrics[held] {
			return 0
		}
	}
	if now.Descriptors-now.Idle > base.Descriptors+8 {
		return 0
	}
	return n + 1
}
