package engine

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"time"

	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/wire"
)

// drive opens the case's clock and runs clients, loads, windows and actions
// until the last client has ended.
func (s *stage) drive(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.c.Limit())
	defer cancel()
	for _, b := range s.backends {
		if err := b.Begin(); err != nil {
			s.fail(err)
			return
		}
	}
	before, looked := s.glance()
	begin := time.Now()
	s.facts.Begin = begin.UnixNano()
	aside, stop := context.WithCancel(ctx) // what accompanies the clients
	var companions sync.WaitGroup
	companions.Go(func() { s.target.watch(aside.Done()) })
	companions.Go(func() { s.engine.cfg.Companion.Accompany(aside, s.subject()) })
	phases := s.phases(aside, &companions, begin)
	for _, r := range s.relays {
		r.Begin(begin)
	}
	s.act(aside, &companions, begin, ctx.Done())
	s.clients(ctx, begin)
	s.facts.End = time.Now().UnixNano()
	if now, ok := s.glance(); ok && looked {
		s.facts.Machine = now.since(before)
	}
	stop()
	companions.Wait()
	phases.close(s.facts)
	s.faultWindows(begin)
}

// clients runs wire clients and loads side by side and waits for them.
func (s *stage) clients(ctx context.Context, begin time.Time) {
	for i := range s.c.Clients {
		s.facts.Groups = append(s.facts.Groups, evidence.Group{Name: s.c.Clients[i].Name})
	}
	for i := range s.c.Load {
		s.facts.Groups = append(s.facts.Groups, evidence.Group{Name: s.c.Load[i].Name, Load: true})
	}
	target := s.wireTarget()
	var mu sync.Mutex
	var wg sync.WaitGroup
	if len(s.c.Clients) > 0 {
		wg.Go(func() {
			res, err := wire.Run(ctx, wire.Config{Target: target, Roots: s.keys.authority.Pool(), Shown: s.keys.first, Clients: s.c.Clients, IDs: s.ids, Book: s.client, Hub: s.hub, Seed: s.c.seed, Deadline: s.deadline(), Witness: len(s.c.Checks) > 0, Observe: s.target.saw})
			mu.Lock()
			defer mu.Unlock()
			s.facts.Names = res.Names
			s.differ(res.Mismatches)
			for _, a := range res.Answers {
				s.facts.Answers = append(s.facts.Answers, evidence.Answer{Exchange: a.Seq, Fields: a.Fields, Body: a.Body, Trailers: a.Trailers, Interim: a.Interim})
			}
			s.failFrom(err)
		})
	}
	for i := range s.c.Load {
		wg.Go(func() {
			res, err := load.Run(ctx, load.Config{Target: target, Roots: s.keys.authority.Pool(), Load: s.c.Load[i], IDs: s.ids, Book: s.client, Group: uint16(len(s.c.Clients) + i), Seed: s.c.seed, Begin: begin, Enough: s.engine.cfg.Companion.Enough(), Observe: s.saw})
			mu.Lock()
			defer mu.Unlock()
			s.facts.Loads = append(s.facts.Loads, evidence.Load{
				Name: res.Name, Planned: res.Planned, Sent: res.Sent, Late: res.Late, Starved: res.Starved,
				MaxLateNS: int64(res.MaxLate), MaxWorkers: res.MaxWorkers, Offered: res.Offered(), Sealed: res.Sealed,
			})
			s.differ(res.Mismatches)
			s.failFrom(err)
		})
	}
	wg.Wait()
}

// differ takes what clients got and did not ask for.
func (s *stage) differ(all []wire.Mismatch) {
	for _, m := range all {
		s.facts.Mismatches = append(s.facts.Mismatches, evidence.Mismatch{Party: m.Client, Exchange: m.Exchange, Step: m.Step, Want: m.Want, Got: m.Got})
	}
}

// deadline is how long a client waits for an exchange: beyond the longest time
// that the target's own settings allow for what the scenario is about, so that
// a target whose timeout is fixed and long is not called stuck.
func (s *stage) deadline() time.Duration {
	longest := time.Duration(0)
	for name := range s.c.Given() {
		if d, err := time.ParseDuration(s.facts.Settings[name]); err == nil && strings.HasPrefix(name, "upstream.timeouts.") {
			longest = max(longest, d)
		}
	}
	return wire.DefaultDeadline + longest
}

// phaseLog notes when phases truly opened and closed.
type phaseLog struct {
	mu      sync.Mutex
	windows map[string]evidence.Window
}

func (p *phaseLog) note(name string, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.windows[name]
	if now := time.Now().UnixNano(); on {
		w.From = now
	} else {
		w.Until = now
	}
	p.windows[name] = w
}

func (p *phaseLog) close(facts *evidence.Case) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(facts.Windows, p.windows)
}

// phases opens and closes the windows that scripts ask about. Those that begin
// with the case are open when it returns.
func (s *stage) phases(ctx context.Context, wg *sync.WaitGroup, begin time.Time) *phaseLog {
	p := &phaseLog{windows: map[string]evidence.Window{}}
	set := func(name string, on bool) {
		s.hub.SetPhase(name, on)
		p.note(name, on)
	}
	for name, w := range s.c.During {
		if w.From == 0 {
			set(name, true)
		}
		wg.Go(func() {
			if w.From > 0 {
				if !sleepUntil(ctx, begin.Add(w.From.D())) {
					return
				}
				set(name, true)
			}
			if sleepUntil(ctx, begin.Add(w.Until.D())) {
				set(name, false)
			}
		})
	}
	return p
}

// faultWindows notes when the fault windows were open. The relays keep their
// time from the same begin.
func (s *stage) faultWindows(begin time.Time) {
	at, n := begin.UnixNano(), 0
	for i := range s.c.Faults {
		f := &s.c.Faults[i]
		if !f.Does() {
			continue
		}
		w := &s.facts.Faults[n]
		n++
		w.From, w.Until = at+int64(f.From.D()), at+int64(f.Until.D())
		if f.Until == 0 {
			w.Until = s.facts.End
		}
		w.Opened = w.From < s.facts.End
	}
}

// act carries out the actions at their times or barriers. A command that has begun
// goes on when the clients have ended, and ends when broken is closed.
func (s *stage) act(ctx context.Context, wg *sync.WaitGroup, begin time.Time, broken <-chan struct{}) {
	rng := rand.New(rand.NewPCG(s.c.seed, 0xac7))
	turn := s.turns()
	for i := range s.c.Actions {
		a := &s.c.Actions[i]
		at := begin
		if a.At != nil {
			at = begin.Add(between(rng, a.At))
		}
		wg.Go(func() {
			defer close(turn[i].done)
			if a.Await != nil {
				if s.hub.Await(ctx, a.Await.Name, max(1, a.Await.Count)) != nil {
					return
				}
			} else if !sleepUntil(ctx, at) {
				return
			}
			if !turn[i].comes(ctx) {
				return
			}
			var err error
			switch a.Do {
			case scenarios.Exec:
				err = s.exec(i+1, a, broken)
			case scenarios.LimitDescriptors:
				err = s.limitDescriptors(ctx, i+1, a)
			default:
				err = s.perform(ctx, a)
			}
			if err != nil {
				s.failFrom(fmt.Errorf("action %d (%s): %w", i+1, a.Do, err))
			}
		})
	}
}

func between(rng *rand.Rand, p *script.Pause) time.Duration {
	if p.Max <= p.Min {
		return p.Min.D()
	}
	return (p.Min + units.Duration(rng.Int64N(int64(p.Max-p.Min)+1))).D()
}

func (s *stage) perform(ctx context.Context, a *scenarios.Action) error {
	switch a.Do {
	case scenarios.Drain:
		return s.target.drain()
	case scenarios.Renew:
		if err := s.renew(); err != nil {
			return err
		}
		return s.target.reload(ctx, s.engine.cfg.Supervisor)
	case scenarios.Reload, scenarios.ReloadBad, scenarios.ReloadTorn:
		return s.reload(ctx, a)
	case scenarios.Upgrade:
		return s.target.upgrade()
	case scenarios.Freeze:
		return s.target.signalAll(syscall.SIGSTOP)
	case scenarios.Thaw:
		return s.target.signalAll(syscall.SIGCONT)
	case scenarios.Stop, scenarios.Kill:
		return s.target.end(a.Do == scenarios.Kill)
	case scenarios.StopBackend, scenarios.KillBackend:
		return s.endBackend(ctx, a.Backend, a.Do == scenarios.KillBackend)
	case scenarios.StartBackend:
		return s.startBackend(ctx, a.Backend)
	case scenarios.RestartBackend:
		return s.restartBackend(ctx, a)
	}
	return fmt.Errorf("%w: nobody here can do that", errUnknownAct)
}

// sleepUntil reports whether the time came before ctx ended.
func sleepUntil(ctx context.Context, at time.Time) bool {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
