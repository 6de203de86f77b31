package engine

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"gauntlet/fixtures/backend"
	"gauntlet/scenarios/evidence"
)

// strike takes the stage down: first the target, which so flushes what it has
// to tell, then what it stood on. It runs to its end whatever fails, also when
// the run was interrupted.
func (s *stage) strike() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if s.target != nil {
		s.fail(s.target.stop(ctx))
		s.facts.Target = s.target.evidence()
		s.fail(s.keepLog())
	}
	s.fail(s.endCommands(ctx))
	for _, r := range s.relays {
		s.fail(r.Close())
	}
	for _, f := range s.former {
		s.dismiss(ctx, f.number, f.server)
	}
	for i, b := range s.backends {
		if !b.Alive() && !s.ended[i+1] {
			s.facts.Gone = append(s.facts.Gone, i+1)
			s.fail(fmt.Errorf("backend %d ended while nobody had asked it to", i+1))
		}
		s.dismiss(ctx, i+1, b)
	}
	if s.receiver != nil {
		s.fail(s.receiver.Stop(ctx))
	}
	if s.keys != nil {
		s.fail(s.keys.close())
	}
	if s.client != nil {
		s.fail(s.client.Seal())
	}
	if s.faults != nil {
		s.fail(s.faults.Seal())
	}
}

// dismiss stops backend n and takes over what it has seen beside its book.
func (s *stage) dismiss(ctx context.Context, n int, b backend.Server) {
	s.fail(b.Stop(ctx))
	s.account(n, b)
	for _, m := range b.Mismatches() {
		got, want, _ := strings.Cut(strings.TrimPrefix(m.Text, "found "), "; wanted ")
		s.facts.Mismatches = append(s.facts.Mismatches, evidence.Mismatch{
			Party: fmt.Sprintf("backend-%d", m.Backend), Exchange: m.Seq, Step: m.Step,
			Want: cmp.Or(want, "what its script says"), Got: got,
		})
	}
	s.fail(s.testify(n, b))
}

// end ends the target at once.
func (t *instance) end(kill bool) error {
	if t.proc == nil {
		return fmt.Errorf("%w: it is not ours to end", ErrTarget)
	}
	t.mu.Lock()
	t.asked = true
	t.facts.Drained = time.Now().UnixNano()
	t.mu.Unlock()
	if kill {
		return t.proc.Signal(syscall.SIGKILL)
	}
	return t.proc.Signal(t.plan.Stop)
}
