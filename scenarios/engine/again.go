package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/book"
	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

// former is a backend that has ended and whose place another start has taken.
type former struct {
	number int
	server backend.Server
}

// backend gives backend n, from 1, as it is now.
func (s *stage) backend(n int) backend.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backends[n-1]
}

// A turn is an action's place behind the one before it on the same backend.
type turn struct {
	before <-chan struct{} // nil for the first
	done   chan struct{}
}

// turns gives the actions theirs: a backend is started after it has ended,
// however late its end came.
func (s *stage) turns() []turn {
	all := make([]turn, len(s.c.Actions))
	for i := range all {
		all[i].done = make(chan struct{})
		if k := s.c.Before(i); k >= 0 {
			all[i].before = all[k].done
		}
	}
	return all
}

// comes waits for the turn and reports whether it came before ctx ended.
func (t turn) comes(ctx context.Context) bool {
	if t.before == nil {
		return true
	}
	select {
	case <-t.before:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// onceBegun is for what is done to its end also when the clients have ended.
func onceBegun(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}

// endBackend ends backend n, with a seal on its book or, killed, without: then it
// notes from when on it is known to have been dead.
func (s *stage) endBackend(ctx context.Context, n int, kill bool) error {
	if n < 1 || n > len(s.backends) {
		return fmt.Errorf("there is no backend %d", n)
	}
	ctx, cancel := onceBegun(ctx)
	defer cancel()
	s.mu.Lock()
	b := s.backends[n-1]
	s.ended[n] = true
	s.mu.Unlock()
	if !kill {
		return b.Stop(ctx)
	}
	k, ok := b.(interface{ Kill(context.Context) error })
	if !ok {
		return fmt.Errorf("%w: this backend is not ours to kill", errUnknownAct)
	}
	if err := k.Kill(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.facts.Died == nil {
		s.facts.Died = make([]int64, len(s.backends))
	}
	s.facts.Died[n-1] = time.Now().UnixNano()
	return nil
}

// startBackend starts backend n again at the address that it had, with a book of
// its own: a sealed book is never continued.
func (s *stage) startBackend(ctx context.Context, n int) error {
	if n < 1 || n > len(s.specs) {
		return fmt.Errorf("%w: backend %d is not ours to start", errUnknownAct, n)
	}
	old := s.backend(n)
	if old.Alive() {
		return fmt.Errorf("%w: backend %d has not ended", errUnknownAct, n)
	}
	cfg := s.specs[n-1]
	cfg.Begun = true // the target may find it before we could tell it so
	cfg.Listen, cfg.Book = old.Addr(), s.engine.cfg.Dir.BackendBookOf(s.c.ref, n, s.lives(n)+1)
	b, err := s.engine.cfg.Backend(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return fmt.Errorf("start backend %d again: %w", n, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.former = append(s.former, former{n, old})
	s.backends[n-1] = b
	s.ended[n] = false
	life := evidence.Life{Backend: n, From: time.Now().UnixNano()}
	if len(s.facts.Died) >= n {
		life.Died, s.facts.Died[n-1] = s.facts.Died[n-1], 0
	}
	s.facts.Again = append(s.facts.Again, life)
	return nil
}

// lives is how often backend n has been started.
func (s *stage) lives(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	lives := 1
	for _, l := range s.facts.Again {
		if l.Backend == n {
			lives++
		}
	}
	return lives
}

// restartBackend stops a backend and starts it again after a while, unless the
// clients have ended by then.
func (s *stage) restartBackend(ctx context.Context, a *scenarios.Action) error {
	from := time.Now()
	if err := s.endBackend(ctx, a.Backend, false); err != nil {
		return err
	}
	if sleepUntil(ctx, time.Now().Add(a.For.D())) {
		if err := s.startBackend(ctx, a.Backend); err != nil {
			return err
		}
	}
	s.lasted(a, from)
	return nil
}

// lasted notes the window of an act that has ended now.
func (s *stage) lasted(a *scenarios.Action, from time.Time) {
	if a.Name == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts.Windows[a.Name] = evidence.Window{From: from.UnixNano(), Until: time.Now().UnixNano()}
}

// readLives reads the books of backend n, of which there is one for each start,
// as one. It is nil when one is gone.
func readLives(dir evidence.Dir, c *evidence.Case, n int) (*book.Book, []ledger.Break, error) {
	lives := []ledger.Life{{}}
	for _, l := range c.Again {
		if l.Backend == n {
			lives[len(lives)-1].Died = l.Died
			lives = append(lives, ledger.Life{From: l.From})
		}
	}
	if n <= len(c.Died) {
		lives[len(lives)-1].Died = c.Died[n-1]
	}
	for i := range lives {
		var err error
		lives[i].Book, err = book.Read(dir.BackendBookOf(c.Ref(), n, i+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
	}
	if len(lives) == 1 {
		return lives[0].Book, nil, nil
	}
	joined, broken := ledger.Lives(lives)
	return joined, broken, nil
}
