package engine

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gauntlet/chaos/process"
	"gauntlet/fixtures/book"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// instance is the target running for one case.
type instance struct {
	plan *targets.Plan
	proc *process.Process // nil for a target we do not start
	log  string

	broke atomic.Bool // a client saw it break a connection
	mu    sync.Mutex
	facts evidence.Target
	asked bool // somebody asked it to end

	upgraded bool // somebody asked it to give its place to another process
}

// startTarget runs the plan's program and waits until it serves. Roots vouch
// for it, should it speak TLS.
func startTarget(ctx context.Context, name string, plan *targets.Plan, roots *x509.CertPool, dir string, supervisor []string) (*instance, error) {
	t := &instance{plan: plan, log: filepath.Join(dir, targets.Output)}
	t.facts = evidence.Target{Name: name, Telemetry: plan.Telemetry, Says: plan.Says}
	never := make(chan struct{})
	exited := (<-chan struct{})(never)
	if len(plan.Args) > 0 {
		// The end of ctx does not kill it: a run that is broken off must not
		// make a crash of its own doing. Strike stops it whatever happens.
		p, err := process.Start(context.WithoutCancel(ctx), process.Spec{Args: plan.Args, Env: plan.Env, Dir: plan.Dir, Log: t.log, Supervisor: supervisor})
		if err != nil {
			return nil, fmt.Errorf("%w: start: %w", ErrTarget, err)
		}
		t.proc, t.facts.PID, exited = p, p.PID(), p.Exited()
	}
	if err := waitReady(ctx, plan, roots, exited); err != nil {
		err = fmt.Errorf("%w; it said: %s", err, t.lastWords())
		return nil, errors.Join(err, t.kill())
	}
	return t, nil
}

// lastWords gives the end of what the target printed.
func (t *instance) lastWords() string {
	text, err := os.ReadFile(t.log)
	if err != nil || len(text) == 0 {
		return "nothing"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}

func (t *instance) kill() error {
	if t.proc == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := t.proc.Kill(ctx); err != nil {
		return fmt.Errorf("%w: kill: %w", ErrTarget, err)
	}
	return nil
}

// sample looks at the process and its metrics.
func (t *instance) sample(ctx context.Context) (evidence.Sample, error) {
	s, _, err := t.look(ctx)
	return s, err
}

// look is sample, and gives the metrics as they are.
func (t *instance) look(ctx context.Context) (evidence.Sample, families, error) {
	s := evidence.Sample{At: time.Now().UnixNano()}
	if t.proc != nil {
		p, err := t.proc.Sample()
		if err != nil {
			return s, nil, fmt.Errorf("sample target: %w", err)
		}
		s.Descriptors, s.RSS = p.Descriptors, p.RSS
	}
	if t.plan.Prometheus != "" {
		all, err := scrape(ctx, t.plan.Prometheus)
		if err != nil {
			return s, nil, err
		}
		s.Metrics = all.sample(t.plan.Metrics)
		s.Idle = int(s.Metrics["pool_idle"])
		return s, all, nil
	}
	return s, nil, nil
}

// drain asks for a graceful stop and does not wait for it.
func (t *instance) drain() error {
	if t.proc == nil || t.plan.Drain == 0 {
		return fmt.Errorf("%w: it cannot be drained", ErrTarget)
	}
	t.mu.Lock()
	t.asked = true
	t.facts.Drained = time.Now().UnixNano()
	t.mu.Unlock()
	return t.proc.Signal(t.plan.Drain)
}

// reload makes the target read its configuration again.
func (t *instance) reload(ctx context.Context, supervisor []string) error {
	r := t.plan.Reload
	t.mu.Lock()
	t.facts.Reloaded = true
	t.mu.Unlock()
	switch {
	case t.proc != nil && r.Signal != 0:
		return t.proc.Signal(r.Signal)
	case len(r.Args) > 0:
		p, err := process.Start(ctx, process.Spec{Args: r.Args, Env: t.plan.Env, Dir: t.plan.Dir, Log: t.log + ".reload", Supervisor: supervisor})
		if err != nil {
			return fmt.Errorf("%w: reload: %w", ErrTarget, err)
		}
		select {
		case <-p.Exited():
		case <-ctx.Done():
		}
		return p.Kill(context.WithoutCancel(ctx))
	}
	return fmt.Errorf("%w: it cannot be reloaded", ErrTarget)
}

// watch notes an exit, and whether anybody had asked for it, until done ends.
func (t *instance) watch(done <-chan struct{}) {
	if t.proc == nil {
		return
	}
	select {
	case <-t.proc.Exited():
		t.noteExit()
	case <-done:
	}
}

func (t *instance) noteExit() {
	e, ok := t.proc.Exit()
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.facts.Exited == 0 {
		t.facts.Exited = time.Now().UnixNano()
		t.facts.ExitCode = e.Code
		t.facts.Killed = e.Signal == syscall.SIGKILL
		t.facts.Replaced = t.upgraded && !t.asked && e.Code == 0 && t.proc.Alive()
		t.facts.Crashed = !t.asked && !t.facts.Replaced
	}
}

// stop ends the target in order, so that it flushes what it has to tell. Its
// traces are complete when it ended by itself, in time and with code 0.
func (t *instance) stop(ctx context.Context) error {
	if t.proc == nil {
		return nil
	}
	t.mu.Lock()
	already, upgraded := t.asked, t.upgraded
	t.mu.Unlock()
	if upgraded && t.exits(ctx, t.plan.Grace) {
		t.noteExit() // what is left is who has taken its place
	}
	t.mu.Lock()
	t.asked = true
	t.facts.Crashed = t.facts.Crashed || t.facts.Replaced && !t.proc.Alive()
	t.mu.Unlock()
	if !already && !t.replaced() && t.gone(ctx) {
		t.mu.Lock()
		t.asked = false // it was gone before we asked
		t.mu.Unlock()
	}
	signal := t.plan.Stop
	if already || t.unseen() {
		signal = t.plan.Drain
	}
	err := t.proc.Stop(ctx, signal, t.plan.Grace)
	t.noteExit()
	t.mu.Lock()
	t.facts.Rested = err == nil && signal == t.plan.Drain && signal != 0 && !t.facts.Crashed && !t.facts.Killed
	t.facts.Traces = err == nil && t.facts.ExitCode == 0 && !t.facts.Crashed
	t.mu.Unlock()
	if errors.Is(err, process.ErrKilled) {
		return nil // a target that does not stop in time is a fact, not our failure
	}
	return err
}

// unseen reports whether nobody can look at the target, which tells by an access
// log or by OTLP. It is then stopped gracefully where it can be: a fast stop takes along what it has not
// logged yet, and nobody can see whether there is any.
func (t *instance) unseen() bool {
	return (t.plan.AccessLog != "" || t.exports()) && t.plan.Prometheus == "" && t.plan.Drain != 0
}

// replaced reports whether another process has taken the target's place.
func (t *instance) replaced() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.facts.Replaced
}

// cutShort is how long a target whose client saw a connection break is given to
// be found dead, before it is asked to end.
const cutShort = 250 * time.Millisecond

// saw notes what a client saw: see gone.
func (t *instance) saw(c book.Client) {
	if c.End == book.EndCut || c.End == book.EndReset || c.End == book.EndRefused {
		t.broke.Store(true)
	}
}

// gone reports whether the target has ended by itself. Its connections close
// before its supervisor can tell of its end: one that broke connections or
// refuses them is given time to be found dead, so that a crash is not taken
// for an orderly stop.
func (t *instance) gone(ctx context.Context) bool {
	if t.broke.Load() && t.exits(ctx, cutShort) {
		return true
	}
	var d net.Dialer
	d.Timeout = cutShort
	c, err := d.DialContext(ctx, "tcp", t.plan.Address)
	if err == nil {
		_ = c.Close()
	}
	return t.exits(ctx, 0) || errors.Is(err, syscall.ECONNREFUSED) && t.exits(ctx, 2*time.Second)
}

// exits reports whether the target has ended or ends within the time.
func (t *instance) exits(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	select {
	case <-t.proc.Exited():
	case <-ctx.Done():
	}
	_, ended := t.proc.Exit()
	return ended
}

func (t *instance) evidence() evidence.Target {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.facts
}
