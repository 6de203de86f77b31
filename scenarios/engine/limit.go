package engine

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
)

// limitDescriptors keeps the target short of descriptors for a while, at the
// longest until the clients have ended.
func (s *stage) limitDescriptors(ctx context.Context, n int, a *scenarios.Action) error {
	if s.target.proc == nil {
		return fmt.Errorf("%w: it is not ours to limit", ErrTarget)
	}
	from := time.Now()
	l, err := s.target.proc.LimitDescriptors(a.Spare)
	if errors.Is(err, syscall.EPERM) { // its workers are another user's
		s.mu.Lock()
		defer s.mu.Unlock()
		s.facts.Unsupported = append(s.facts.Unsupported, "permission to limit the descriptors of its processes (CAP_SYS_RESOURCE)")
		return nil
	}
	if err != nil {
		return err
	}
	sleepUntil(ctx, from.Add(a.For.D()))
	err = l.Release()
	s.lasted(a, from)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts.Limits = append(s.facts.Limits, evidence.Limit{
		Action: n, Window: evidence.Window{From: from.UnixNano(), Until: time.Now().UnixNano()},
		Spare: a.Spare, Processes: l.Processes(), Reached: l.Reached(),
	})
	return err
}
