package engine

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"

	"gauntlet/scenarios"
)

// spoilt is no configuration of any proxy that we know.
const spoilt = "}{ this is no configuration\n"

// reload has the target read its configuration again: as it was in the
// beginning, without some of its endpoints, or from a file that is none or only
// half of one.
func (s *stage) reload(ctx context.Context, a *scenarios.Action) error {
	s.acting.Lock()
	defer s.acting.Unlock()
	spoils := a.Do == scenarios.ReloadBad || a.Do == scenarios.ReloadTorn
	if spoils && s.target.plan.Config == "" {
		return fmt.Errorf("%w: nobody knows which file its reload reads", ErrTarget)
	}
	if a.Do != scenarios.ReloadBad && (s.altered || len(a.Without) > 0) {
		s.altered = len(a.Without) > 0
		if err := s.reconfigure(a.Without); err != nil {
			return err
		}
	}
	if spoils {
		s.altered = true
		if err := spoil(s.target.plan.Config, a.Do == scenarios.ReloadTorn); err != nil {
			return fmt.Errorf("spoil the target's configuration: %w", err)
		}
	}
	return s.target.reload(ctx, s.engine.cfg.Supervisor)
}

// spoil leaves half of what stands in the file when torn, else nonsense.
func spoil(path string, torn bool) error {
	text := []byte(spoilt)
	if torn {
		whole, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text = whole[:len(whole)/2]
	}
	return os.WriteFile(path, text, 0o600)
}

// reconfigure writes the target's configuration anew, without these backends.
func (s *stage) reconfigure(without []int) error {
	w := s.wants
	w.Given, w.Backends = s.engine.cfg.given(s.c.Case), nil
	for i, b := range s.wants.Backends {
		if !slices.Contains(without, i+1) {
			w.Backends = append(w.Backends, b)
		}
	}
	if w.Given["upstream.endpoints"] != "" {
		w.Given["upstream.endpoints"] = strconv.Itoa(len(w.Backends))
	}
	if _, err := s.engine.cfg.Target.Plan(w); err != nil {
		return fmt.Errorf("%w: configure it anew: %w", ErrTarget, err)
	}
	return nil
}

// upgrade has another process take the target's place; the end of the one that
// was started is no crash then.
func (t *instance) upgrade() error {
	if t.proc == nil || t.plan.Upgrade == 0 {
		return fmt.Errorf("%w: no other process can take its place", ErrTarget)
	}
	t.mu.Lock()
	t.upgraded = true
	t.mu.Unlock()
	return t.proc.Signal(t.plan.Upgrade)
}

// signalAll reaches the target's processes, workers and all.
func (t *instance) signalAll(sig syscall.Signal) error {
	if t.proc == nil {
		return fmt.Errorf("%w: it is not ours to signal", ErrTarget)
	}
	return t.proc.SignalAll(sig)
}
