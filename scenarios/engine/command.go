package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gauntlet/chaos/process"
	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
)

// minSecret is the length from which on the value of a variable is kept out of
// evidence. A shorter one would be found everywhere.
const minSecret = 4

// maxSaid bounds what is kept of what a command prints, in bytes.
const maxSaid = 1 << 20

// A running command: what came of it belongs to the facts, and its process, with
// whatever it has left behind, lives until the case is over.
type running struct {
	proc *process.Process
	log  string
}

// exec runs a command of the user's own and waits until it has ended, its time
// is up, or the run is broken off. What it left in the background goes on.
func (s *stage) exec(n int, a *scenarios.Action, broken <-chan struct{}) error {
	within := a.Within.D()
	if within == 0 {
		within = scenarios.DefaultWithin
	}
	facts := evidence.Command{Action: n, Run: a.Run, Log: fmt.Sprintf("exec-%d.log", n)}
	spec, err := s.command(a)
	if err != nil {
		return err
	}
	spec.Log = filepath.Join(s.engine.cfg.Dir.Case(s.c.ref), facts.Log)
	facts.From = time.Now().UnixNano()
	p, err := process.Start(context.Background(), spec)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.commands = append(s.commands, running{p, spec.Log})
	s.mu.Unlock()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.Exited():
	case <-timer.C:
		facts.Late = true
		err = p.Kill(context.Background())
	case <-broken:
		err = errors.Join(errBroken, p.Kill(context.Background()))
	}
	facts.Until = time.Now().UnixNano()
	if e, ok := p.Exit(); ok {
		facts.ExitCode, facts.Signal = e.Code, int(e.Signal)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts.Commands = append(s.facts.Commands, facts)
	return err
}

// errBroken says that a command was killed because the run was.
var errBroken = errors.New("the run was broken off before the command had ended")

// command puts values into what an exec says. Those from the environment are
// secrets.
func (s *stage) command(a *scenarios.Action) (spec process.Spec, err error) {
	expand := func(text string) string {
		out, wrong := scenarios.Expand(text, s.runtime)
		err = errors.Join(err, wrong)
		return out
	}
	for _, arg := range a.Run {
		spec.Args = append(spec.Args, expand(arg))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		spec.Env = append(spec.Env, name+"="+expand(a.Env[name]))
	}
	spec.Supervisor = s.engine.cfg.Supervisor
	if path := s.engine.cfg.Run.Files[s.c.ID]; path != "" {
		spec.Dir = filepath.Dir(path)
	}
	return spec, err
}

// runtime gives what a name of scenarios.Runtime stands for.
func (s *stage) runtime(name string) (string, bool) {
	switch name {
	case "target":
		return s.target.plan.Address, true
	case "pid":
		return strconv.Itoa(s.target.facts.PID), s.target.proc != nil
	case "dir":
		return s.wants.Dir, true
	}
	if variable, ok := strings.CutPrefix(name, "env:"); ok {
		if s.engine.cfg.Env == nil {
			return "", false
		}
		value, set := s.engine.cfg.Env(variable)
		if set && len(value) >= minSecret {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.secrets = append(s.secrets, value)
		}
		return value, set
	}
	n, ok := scenarios.RuntimeNumber(name)
	if !ok || n > len(s.wants.Backends) {
		return "", false
	}
	if strings.HasPrefix(name, "endpoint.") {
		return s.wants.Backends[n-1], true
	}
	if taps := s.engine.cfg.Taps; len(taps) > 0 {
		return taps[n-1].To, true
	}
	return s.backend(n).Addr(), true
}

// endCommands ends what commands have left behind and bounds what they printed.
func (s *stage) endCommands(ctx context.Context) (err error) {
	for _, c := range s.commands {
		err = errors.Join(err, c.proc.Kill(ctx))
		if info, no := os.Stat(c.log); no == nil && info.Size() > maxSaid {
			err = errors.Join(err, os.Truncate(c.log, maxSaid))
		}
	}
	if err != nil {
		return fmt.Errorf("end a command: %w", err)
	}
	return nil
}
