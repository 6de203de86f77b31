package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"gauntlet/chaos/process"
	"gauntlet/scenarios/targets"
)

// An instance is a contestant that runs. Stop it; nil is none.
type instance struct {
	address string
	process *process.Process
	plan    *targets.Plan
	lull    time.Duration // without work: it has nothing left to do
}

// start starts c on the contestants' core and waits until it answers.
func (b *bench) start(ctx context.Context, c Contestant, purpose string) (*instance, error) {
	dir := filepath.Join(b.cfg.Dir, c.Name+"-"+purpose)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	wants := targets.Wants{Backends: []string{b.origin.addr}, Given: c.Given, Dir: dir}
	var err error
	for _, address := range []*string{&wants.Listen, &wants.Admin} {
		if *address, err = b.ports.Address(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSetup, err)
		}
	}
	if c.Exports {
		if wants.OTLP, err = b.collector(c); err != nil {
			return nil, err
		}
	}
	plan, err := c.Plan(wants)
	if err != nil {
		return nil, err
	}
	i := &instance{address: plan.Address, plan: plan, lull: lull}
	if c.Exports {
		i.lull = batchLull
	}
	spec := process.Spec{Args: plan.Args, Env: plan.Env, Dir: plan.Dir, Log: filepath.Join(dir, "output"), Supervisor: b.cfg.Supervisor}
	if err := pinned(b.cfg.Core, func() error { i.process, err = process.Start(ctx, spec); return err }); err != nil {
		return nil, err
	}
	if err := i.ready(ctx, b.cfg.Bodies[0]); err != nil {
		i.stop()
		return nil, fmt.Errorf("%w; see %s", err, spec.Log)
	}
	return i, nil
}

// collector is the URL that c exports to.
func (b *bench) collector(c Contestant) (string, error) {
	switch c.Collector {
	case CollectorSlow:
		return b.sink.url + slowly, nil
	case CollectorDown:
		addr, err := b.ports.Address()
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrSetup, err)
		}
		return "http://" + addr, nil
	}
	return b.sink.url, nil
}

const (
	startUp = 15 * time.Second // the longest wait for a contestant's first answer
	tries   = 25               // wrong answers are enough to know that no right one will come
)

func (i *instance) ready(ctx context.Context, body int) error {
	ctx, cancel := context.WithTimeout(ctx, startUp)
	defer cancel()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for wrong := 0; ; {
		l, err := newLoad(i.address, 1)
		if err == nil {
			if err = errors.Join(l.run(body, 0), l.close()); err == nil {
				return nil
			}
			if wrong++; wrong == tries {
				return err
			}
		}
		select {
		case <-i.process.Exited():
			return errors.New("it ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready after %s: %w", startUp, err)
		case <-pause.C:
		}
	}
}

// stop ends it and whatever it started.
func (i *instance) stop() {
	if i == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = i.process.Stop(ctx, i.plan.Stop, 2*time.Second) // what does not go is killed
}

// sample is what it holds now; nothing when it is gone, which the load notices.
func (i *instance) sample() process.Sample {
	s, err := i.process.Sample()
	if err != nil {
		return process.Sample{}
	}
	return s
}

const (
	lull      = 60 * time.Millisecond
	batchLull = 300 * time.Millisecond // spans wait up to 200 ms for their batch
	quietFor  = 2 * time.Second        // the longest wait for quiet
)

// quiet waits until it has nothing left to do, for a bounded time.
func (i *instance) quiet() (process.Sample, error) {
	last, until := i.sample(), time.Now().Add(quietFor)
	pause := time.NewTicker(i.lull)
	defer pause.Stop()
	for {
		<-pause.C
		now, err := i.process.Sample()
		if err != nil || now.CPU == last.CPU || time.Now().After(until) {
			return now, err
		}
		last = now
	}
}

// pinned runs f so that the processes it starts stay on one core.
func pinned(core int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("%w: %w", ErrSetup, os.NewSyscallError("sched_getaffinity", err))
	}
	if err := pin(0, core); err != nil {
		return err
	}
	return errors.Join(f(), unix.SchedSetaffinity(0, &before))
}

// pinAll keeps this whole process on one core until the function it returns
// is called. Threads that come later inherit it.
func pinAll(core int) (unpin func(), err error) {
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetup, os.NewSyscallError("sched_getaffinity", err))
	}
	unpin = func() {
		_ = threads(func(tid int) error { return unix.SchedSetaffinity(tid, &before) })
	}
	if err := threads(func(tid int) error { return pin(tid, core) }); err != nil {
		unpin()
		return nil, err
	}
	return unpin, nil
}

func pin(tid, core int) error {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("%w: core %d: %w", ErrSetup, core, os.NewSyscallError("sched_setaffinity", err))
	}
	return nil
}

func threads(f func(tid int) error) error {
	entries, err := os.ReadDir("/proc/self/task")
	for _, e := range entries {
		if tid, nerr := strconv.Atoi(e.Name()); nerr == nil {
			err = errors.Join(err, f(tid))
		}
	}
	return err
}
