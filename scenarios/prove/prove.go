// Package prove shows that the scenarios can fail, and that they accuse nobody
// of what he did not do: it runs them against the mutants they name, against a
// sample of the mutants they do not, and against the reference proxy, and says
// what was caught, missed and wrongly alarmed. It judges nothing by itself; the
// engine does, from evidence, as for any target.
package prove

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gauntlet/fixtures/mutants"
	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// Config says what to prove.
type Config struct {
	Dir        string // of the evidence of every pair
	Program    string // the gauntlet binary, which runs mutants and reference
	Supervisor []string
	Seed       uint64
	Sample     int  // pairs that nobody named, drawn by Seed
	Full       bool // every pair
	Cover      bool // of the named pairs no more than show each scenario and each mutant once, and not the reference
	Parallel   int
	Entries    []catalog.Entry
	Catalogue  []catalog.Entry // all there are, which decides what Any stands for; nil: Entries
	Mutants    []mutants.Mutant
	Progress   func(done, all int, p Pair)
}

// A Result is what was proven.
type Result struct {
	Pairs       []Pair
	Missed      []Pair // named and not caught, or not run to an end
	FalseAlarms []Pair // the reference accused, or a mutant of what it does not do
}

// together is how many pairs whose scenario tolerates neighbours run at once.
const together = 3

// Run runs the pairs: first those whose scenarios tolerate neighbours, a few at
// a time, then the others one by one. Its error says that it could not.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	b := &bench{cfg: cfg, todo: pairs(cfg)}
	b.done = make([]Pair, len(b.todo))
	var wg sync.WaitGroup
	queue := make(chan int)
	for range together {
		wg.Go(func() {
			for i := range queue {
				b.run(ctx, i)
			}
		})
	}
	for i := range b.todo {
		if !cfg.alone(b.todo[i].Scenario) {
			queue <- i
		}
	}
	close(queue)
	wg.Wait()
	for i := range b.todo {
		if cfg.alone(b.todo[i].Scenario) {
			b.run(ctx, i)
		}
	}
	return b.result()
}

// bench is what the pairs of one Run share.
type bench struct {
	cfg  Config
	todo []Pair
	done []Pair

	mu   sync.Mutex
	n    int
	errs []error
}

func (b *bench) run(ctx context.Context, i int) {
	if ctx.Err() != nil {
		return
	}
	p, err := one(ctx, b.cfg, b.todo[i])
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done[i] = p
	b.n++
	if err != nil {
		b.errs = append(b.errs, err)
		return
	}
	if b.cfg.Progress != nil {
		b.cfg.Progress(b.n, len(b.todo), p)
	}
}

// alone reports whether a scenario's times would suffer from neighbours.
func (c Config) alone(id string) bool {
	s := c.entry(id).Scenario()
	return s.Serial || len(s.Load) > 0
}

func (c Config) entry(id string) catalog.Entry {
	return c.Entries[slices.IndexFunc(c.Entries, func(e catalog.Entry) bool { return e.Scenario().ID == id })]
}

func (c Config) catalogue() []catalog.Entry {
	if c.Catalogue == nil {
		return c.Entries
	}
	return c.Catalogue
}

func one(ctx context.Context, cfg Config, p Pair) (Pair, error) {
	began := time.Now()
	target := targets.Reference(cfg.Program)
	if p.Mutant != "" {
		target = targets.Mutant(cfg.Program, p.Mutant)
	}
	p.Dir = filepath.Join(cfg.Dir, cmp.Or(p.Mutant, "reference"), filepath.FromSlash(p.Scenario))
	entry := cfg.entry(p.Scenario)
	err := engine.Run(ctx, engine.Config{
		Dir: evidence.Dir(p.Dir), Cases: entry.Cases, Sources: map[string][]byte{p.Scenario: entry.Source},
		Target: target, Supervisor: cfg.Supervisor, Seed: cfg.Seed, Repeat: 1, Parallel: cfg.Parallel,
		Run: evidence.Run{Target: evidence.RunTarget{Name: target.Name()}, Started: time.Now().UTC().Format(time.RFC3339), Backends: "embedded"},
	})
	if err != nil {
		return p, fmt.Errorf("%s on %s: %w", p.Scenario, target.Name(), err)
	}
	report, err := engine.Judge(evidence.Dir(p.Dir))
	if err != nil {
		return p, fmt.Errorf("%s on %s: %w", p.Scenario, target.Name(), err)
	}
	p.Verdict, p.Seconds = report.Verdict, time.Since(began).Seconds()
	for _, c := range report.Ledger.Counts() {
		switch c.Name {
		case "crosswired", "corrupted", "duplicated", "truncated", "stuck", "lost":
			if c.N > 0 {
				p.Damage = append(p.Damage, c.Name)
			}
		}
	}
	p.Audit = audited(report)
	p.Detail = reason(report)
	return p, nil
}
