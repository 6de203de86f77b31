package overhead

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gauntlet/chaos"
	"gauntlet/chaos/process"
	"gauntlet/chaos/relay"
	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/ports"
	"gauntlet/scenarios/targets"
	"gauntlet/scenarios/wire"
)

// ways are the two ways to the backend.
type ways struct {
	direct, through wire.Target
	plan            *targets.Plan
	proxy           *process.Process // nil: none that we started
	delay           *relay.Relay     // nil: none
	ports           *ports.Ports     // nil: none were needed
	legs            uint64
}

// open starts what stands in the way through.
func open(ctx context.Context, cfg Config, backend string) (w *ways, err error) {
	w = &ways{direct: wire.Target{Address: backend}, through: wire.Target{Address: backend}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if cfg.Target != nil {
		if err := w.start(ctx, cfg, backend); err != nil {
			return w, err
		}
	}
	if cfg.Delay > 0 {
		late := relay.Window{Number: 1, Name: "delay", Fault: chaos.Latency{Delay: units.Duration(cfg.Delay)}, Direction: chaos.Down}
		w.delay, err = relay.Start(context.WithoutCancel(ctx), relay.Config{Listen: "127.0.0.1:0", To: w.through.Address, Windows: []relay.Window{late}, Seed: cfg.Seed})
		if err != nil {
			return w, fmt.Errorf("%w: %w", ErrSetup, err)
		}
		w.delay.Begin(time.Now())
		w.through.Address = w.delay.Addr()
	}
	return w, nil
}

// start starts the proxy and waits until a request comes back through it.
func (w *ways) start(ctx context.Context, cfg Config, backend string) error {
	dir := filepath.Join(cfg.Dir, "target")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%w: %w", ErrSetup, err)
	}
	wants := targets.Wants{Backends: []string{backend}, Dir: dir}
	var err error
	if w.ports, err = ports.Claim(); err != nil {
		return fmt.Errorf("%w: %w", ErrSetup, err)
	}
	for _, address := range []*string{&wants.Listen, &wants.Admin} {
		if *address, err = w.ports.Address(); err != nil {
			return fmt.Errorf("%w: %w", ErrSetup, err)
		}
	}
	if w.plan, err = cfg.Target.Plan(wants); err != nil {
		return err
	}
	if len(w.plan.Args) == 0 {
		return fmt.Errorf("%w: %s runs already, and its backends are not ours; allowed: a target that is started here", ErrSetup, cfg.Target.Name())
	}
	log := filepath.Join(dir, targets.Output)
	// The end of ctx does not kill it: close does, whatever happens.
	w.proxy, err = process.Start(context.WithoutCancel(ctx), process.Spec{Args: w.plan.Args, Env: w.plan.Env, Dir: w.plan.Dir, Log: log, Supervisor: cfg.Supervisor})
	if err != nil {
		return fmt.Errorf("%w: start: %w", ErrSetup, err)
	}
	w.through = wire.Target{Address: w.plan.Address, Host: w.plan.Request.Host, Prefix: w.plan.Request.Prefix}
	for _, name := range slices.Sorted(maps.Keys(w.plan.Request.Headers)) {
		w.through.Fields = append(w.through.Fields, http1.Field{Name: name, Value: w.plan.Request.Headers[name]})
	}
	return w.ready(ctx, cfg, log)
}

// startUp is the longest wait for a proxy's first good answer.
const startUp = 20 * time.Second

func (w *ways) ready(ctx context.Context, cfg Config, log string) error {
	ctx, cancel := context.WithTimeout(ctx, startUp)
	defer cancel()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	once := load.Load{Rate: 20, For: units.Duration(50 * time.Millisecond), Request: cfg.Load.Request, MaxWorkers: 1}
	for {
		l, err := w.leg(ctx, cfg, w.through, once)
		if err == nil && l.Failed == 0 && l.Sent > 0 {
			return nil
		}
		select {
		case <-w.proxy.Exited():
			return fmt.Errorf("%w: the proxy ended before it was ready; see %s", ErrSetup, log)
		case <-ctx.Done():
			return fmt.Errorf("%w: the proxy did not answer 200 within %s; see %s", ErrSetup, startUp, log)
		case <-pause.C:
		}
	}
}

// cpu is what the proxy has used so far; nothing where there is none of ours.
func (w *ways) cpu() (time.Duration, error) {
	if w.proxy == nil {
		return 0, nil
	}
	s, err := w.proxy.Sample()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	return s.CPU, nil
}

// close ends what open started.
func (w *ways) close() error {
	var errs []error
	if w.delay != nil {
		errs = append(errs, w.delay.Close())
	}
	if w.proxy != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.proxy.Stop(ctx, w.plan.Stop, 2*time.Second); err != nil && !errors.Is(err, process.ErrGone) {
			errs = append(errs, err)
		}
	}
	if w.ports != nil {
		errs = append(errs, w.ports.Close())
	}
	return errors.Join(errs...)
}
