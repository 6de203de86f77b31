package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// Config says what to prove.
type Config struct {
	Dir        string // of the evidence and of Prometheus; it is there and empty
	Target     targets.Target
	Supervisor []string
	Rules      []byte
	Alerts     []string // every alert of the rules
	Queries    []Query
	Beside     []Source // scraped all the time
	Seed       uint64
	Trail      string // query whose exemplars are followed to their log lines
	Loki       string // program of the Loki that finds these, in the calm drill; "" for none
	Collector  string // program through which the calm drill's spans go; "" for none
	Progress   func(Outcome)
	Told       engine.Progress // what runs; nil for nobody
}

// A Query must give data in the calm drill or, if it is Rare, in any.
type Query struct {
	Expr     string
	Rare     bool
	Exemplar bool // must have one in the calm drill
}

// An Outcome is what came of one drill.
type Outcome struct {
	Drill   string
	Must    []string // alerts that had to fire
	Fired   []string
	Missing []string        // of Must
	Wrong   []string        // that fired and may not
	Busy    bool            // others left the proxy too little of the machine to tell
	Trail   *Trail          // of the calm drill, where one was asked for
	Judged  reports.Verdict // of the calm drill's own scenario, audit of its telemetry included
	Seconds float64
}

// Holds says that what had to fire did, and nothing else, and that every trail
// led on.
func (o Outcome) Holds() bool {
	return len(o.Missing)+len(o.Wrong) == 0 && (o.Trail == nil || len(o.Trail.Broken) == 0) && (o.Judged == "" || o.Judged == reports.Pass)
}

// A Result is what was proven.
type Result struct {
	Outcomes []Outcome
	Unproven []string // alerts that no drill is for
	Silent   []string // queries without data
	Queries  int
}

// OK says that nothing is missing and nothing wrong.
func (r *Result) OK() bool {
	return len(r.Unproven)+len(r.Silent) == 0 && !slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return !o.Holds() })
}

// Unclear says that what does not hold may be the fault of a busy machine.
func (r *Result) Unclear() bool {
	return !r.OK() && len(r.Unproven)+len(r.Silent) == 0 && !slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return !o.Holds() && !o.Busy })
}

// Run drives every drill in turn and asks Prometheus about each. Its error says
// that it could not be carried out.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	drills, err := Drills()
	if err != nil {
		return nil, err
	}
	r := &Result{Queries: len(cfg.Queries)}
	waiting := map[string]Query{}
	for _, q := range cfg.Queries {
		waiting[q.Expr] = q
	}
	if err := cfg.all(ctx, drills, waiting, r); err != nil {
		return nil, err
	}
	for _, q := range cfg.Queries {
		if _, still := waiting[q.Expr]; still {
			r.Silent = append(r.Silent, q.Expr)
		}
	}
	for _, name := range cfg.Alerts {
		if !slices.ContainsFunc(drills, func(d Drill) bool { return slices.Contains(d.Must, name) }) {
			r.Unproven = append(r.Unproven, name)
		}
	}
	return r, nil
}

// together is how many drills run at once: they wait more than they work.
const together = 3

// all runs the drills. waiting and r are guarded by the mutex of the group.
func (cfg Config) all(ctx context.Context, drills []Drill, waiting map[string]Query, r *Result) error {
	r.Outcomes = make([]Outcome, len(drills))
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(together)
	for i, d := range drills {
		g.Go(func() error {
			o, answered, err := cfg.drill(ctx, d)
			if err != nil {
				return fmt.Errorf("drill %s: %w", d.Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, expr := range answered {
				delete(waiting, expr)
			}
			r.Outcomes[i] = o
			if cfg.Progress != nil {
				cfg.Progress(o)
			}
			return nil
		})
	}
	return g.Wait()
}

// drill gives one drill a Prometheus of its own, which knows nothing of other
// trouble, and gives the queries that had data in it.
func (cfg Config) drill(ctx context.Context, d Drill) (o Outcome, answered []string, err error) {
	began := time.Now()
	dir := filepath.Join(cfg.Dir, d.Name)
	if err := os.MkdirAll(filepath.Join(dir, "prometheus"), 0o755); err != nil {
		return o, nil, fmt.Errorf("%w: %w", ErrPrometheus, err)
	}
	admin, err := free(ctx)
	if err != nil {
		return o, nil, err
	}
	p, err := Start(ctx, filepath.Join(dir, "prometheus"), cfg.Rules, append([]Source{{"gauntlet", admin}}, cfg.Beside...), cfg.Supervisor)
	if err != nil {
		return o, nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	w := &watched{Target: cfg.Target, ctx: ctx, admin: admin, drill: d}
	if d.Name == calm && cfg.Collector != "" {
		w.through = func(to string) (string, error) {
			c, err := StartCollector(ctx, cfg.Collector, dir, to, cfg.Supervisor)
			if err != nil {
				return "", err
			}
			w.collector = c
			return c.Endpoint, nil
		}
		defer func() {
			if w.collector != nil {
				err = errors.Join(err, w.collector.Stop())
			}
		}()
	}
	run := evidence.Dir(filepath.Join(dir, "run"))
	facts, err := cfg.drive(ctx, run, w)
	if err != nil {
		return o, nil, err
	}
	if o, err = outcome(ctx, p, d, facts); err != nil {
		return o, nil, err
	}
	if d.Name == calm {
		if err := cfg.inDepth(ctx, &o, dir, p, facts, run); err != nil {
			return o, nil, err
		}
	}
	o.Seconds = time.Since(began).Seconds()
	answered, err = cfg.ask(ctx, p, d, facts)
	return o, answered, err
}

// inDepth looks at what only the calm drill is asked: its own verdict, and
// whether a figure leads to a trace and a log line.
func (cfg Config) inDepth(ctx context.Context, o *Outcome, dir string, p *Prometheus, facts *evidence.Case, run evidence.Dir) error {
	report, err := engine.Judge(run)
	if err != nil {
		return err
	}
	o.Judged = report.Verdict
	if cfg.Loki == "" {
		return nil
	}
	t, err := cfg.follow(ctx, dir, p, facts, run)
	t.Collector = cfg.Collector != ""
	o.Trail = &t
	return err
}

// drive runs the scenario on the target, and gives what is known of the case.
func (cfg Config) drive(ctx context.Context, dir evidence.Dir, w *watched) (*evidence.Case, error) {
	d := w.drill
	err := engine.Run(ctx, engine.Config{
		Dir: dir, Cases: []*scenarios.Case{d.Case}, Sources: map[string][]byte{d.Case.ID: d.Source},
		Target: w, Supervisor: cfg.Supervisor, Seed: cfg.Seed, Repeat: 1, Parallel: 1, Progress: cfg.Told,
		Run: evidence.Run{
			Target: evidence.RunTarget{Name: cfg.Target.Name(), Version: cfg.Target.Version()}, Started: time.Now().UTC().Format(time.RFC3339),
			Backends: evidence.Embedded, Command: "gauntlet dev dashboards",
		},
	})
	if err := errors.Join(err, w.wait()); err != nil {
		return nil, err
	}
	facts, err := dir.LoadCase(evidence.CaseRef{Scenario: d.Case.ID, Slug: d.Case.Slug, Repetition: 1})
	if err != nil {
		return nil, err
	}
	if len(facts.Unsupported)+len(facts.Errors) > 0 || facts.Begin == 0 {
		return nil, fmt.Errorf("it could not be run: %v %v", facts.Unsupported, facts.Errors)
	}
	return facts, nil
}

// noticed is how long Prometheus takes to notice that the proxy serves.
const noticed = 8 * scrapeEvery

// span is the time in which the drill's clients ran and Prometheus knew of it.
func span(facts *evidence.Case) (from, until time.Time) {
	return time.Unix(0, facts.Begin).Add(noticed), time.Unix(0, facts.End)
}

func outcome(ctx context.Context, p *Prometheus, d Drill, facts *evidence.Case) (Outcome, error) {
	from, until := span(facts)
	fired, err := p.Fired(ctx, from, until)
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Drill: d.Name, Must: d.Must, Busy: facts.Machine.Busy()}
	for name := range fired {
		o.Fired = append(o.Fired, name)
		if !slices.Contains(d.Must, name) && !slices.Contains(d.May, name) {
			o.Wrong = append(o.Wrong, name)
		}
	}
	for _, name := range d.Must {
		if !fired[name] {
			o.Missing = append(o.Missing, name)
		}
	}
	slices.Sort(o.Fired)
	slices.Sort(o.Wrong)
	return o, nil
}

// ask gives the queries that have data.
func (cfg Config) ask(ctx context.Context, p *Prometheus, d Drill, facts *evidence.Case) (answered []string, err error) {
	from, until := span(facts)
	for _, q := range cfg.Queries {
		if !q.Rare && d.Name != calm {
			continue
		}
		n, err := p.Series(ctx, q.Expr, until)
		if err == nil && q.Exemplar && n > 0 {
			var traces []string
			traces, err = p.Exemplars(ctx, q.Expr, from, until)
			n = len(traces)
		}
		if err != nil {
			return nil, err
		}
		if n > 0 {
			answered = append(answered, q.Expr)
		}
	}
	return answered, nil
}
