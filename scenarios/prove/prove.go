// Package prove shows that the scenarios can fail, and that they accuse nobody
// of what he did not do: it runs them against the mutants they name, against a
// sample of the mutants they do not, and against the reference proxy, and says
// what was caught, missed and wrongly alarmed. It judges nothing by itself; the
// engine does, from evidence, as for any target.
package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gauntlet/fixtures/mutants"
	"gauntlet/reports"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// Any in a scenario's catches stands for every mutant that no scenario names.
const Any = "any"

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

// A Pair is a scenario run against a mutant, or, with Mutant empty, against the
// reference proxy.
type Pair struct {
	Scenario string
	Mutant   string
	Named    bool // the scenario says that it catches it
	Verdict  reports.Verdict
	Damage   []string // outcomes that accuse
	Audit    []string // checks of its telemetry that do
	Seconds  float64
	Detail   string
	Dir      string
}

// Caught reports whether the scenario raised an alarm.
func (p Pair) Caught() bool { return p.Verdict == reports.Fail || p.Verdict == reports.Exposed }

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

func (b *bench) result() (*Result, error) {
	if err := errors.Join(b.errs...); err != nil {
		return nil, err
	}
	r := &Result{Pairs: b.done}
	for _, p := range b.done {
		extra := undeclared(b.cfg, p)
		switch {
		case p.Verdict == "":
			return nil, context.Canceled
		case p.Mutant == "" && p.Verdict != reports.Pass:
			r.FalseAlarms = append(r.FalseAlarms, p)
		case p.Named && (!p.Caught() || b.cfg.elsewhere(p)):
			r.Missed = append(r.Missed, p)
		case len(extra) > 0:
			p.Detail = "accused of " + strings.Join(extra, ", ") + ", which it does not do"
			r.FalseAlarms = append(r.FalseAlarms, p)
		}
	}
	return r, nil
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

// pairs lists what to run: the reference on everything, the named pairs, and
// the rest or a sample of it.
func pairs(cfg Config) []Pair {
	unnamed := Unnamed(cfg.catalogue(), cfg.Mutants)
	var list, rest []Pair
	for _, e := range cfg.Entries {
		s := e.Scenario()
		list = append(list, Pair{Scenario: s.ID})
		for _, m := range cfg.Mutants {
			p := Pair{Scenario: s.ID, Mutant: m.Name}
			p.Named = slices.Contains(s.Catches, m.Name) || slices.Contains(s.Catches, Any) && slices.Contains(unnamed, m.Name)
			if p.Named {
				list = append(list, p)
			} else {
				rest = append(rest, p)
			}
		}
	}
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x9a12))
	rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	if !cfg.Full {
		rest = rest[:min(len(rest), cfg.Sample)]
	}
	list = append(list, rest...)
	if cfg.Cover {
		list = cover(list)
	}
	slices.SortStableFunc(list, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Mutant, b.Mutant), cmp.Compare(a.Scenario, b.Scenario))
	})
	return list
}

// Unnamed gives the mutants that no scenario names: those for which Any stands.
func Unnamed(entries []catalog.Entry, all []mutants.Mutant) []string {
	var names []string
	for _, m := range all {
		if !slices.ContainsFunc(entries, func(e catalog.Entry) bool { return slices.Contains(e.Scenario().Catches, m.Name) }) {
			names = append(names, m.Name)
		}
	}
	return names
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
		Target: target, Supervisor: cfg.Supervisor, Seed: cfg.Seed, Repeat: 1, Parallel: cfg.Parallel, Progress: silent{},
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

// reason gives the first statement that did not hold.
func reason(r *reports.Report) string {
	for _, s := range r.Scenarios {
		for _, f := range s.Findings {
			if f.Verdict == reports.Fail || f.Verdict == reports.Invalid || f.Verdict == reports.Exposed {
				return strings.TrimSpace(f.Case + " " + f.That + " " + f.Detail)
			}
		}
	}
	return ""
}

// audited names the checks of the target's telemetry that found a disagreement.
func audited(r *reports.Report) []string {
	var names []string
	for _, c := range audit.Checks() {
		accuses := func(f reports.Finding) bool { return f.That == c.That && f.Verdict == reports.Fail }
		if slices.ContainsFunc(r.Scenarios, func(s reports.Scenario) bool { return slices.ContainsFunc(s.Findings, accuses) }) {
			names = append(names, c.Name)
		}
	}
	return names
}

// elsewhere reports whether a mutant that does nothing but lie was caught at
// something else than the lies it declares: then it was not caught. One that
// declares none is for a scenario that asks about its lie itself.
func (c Config) elsewhere(p Pair) bool {
	at := slices.IndexFunc(c.Mutants, func(m mutants.Mutant) bool { return m.Name == p.Mutant })
	if at < 0 || len(c.Mutants[at].Audit) == 0 || !slices.Equal(c.Mutants[at].Damage, []string{mutants.Telemetry}) {
		return false
	}
	return !slices.ContainsFunc(p.Audit, func(check string) bool { return slices.Contains(c.Mutants[at].Audit, check) })
}

// undeclared gives the damage a mutant was accused of and does not declare, and
// the checks of its telemetry likewise.
func undeclared(cfg Config, p Pair) []string {
	at := slices.IndexFunc(cfg.Mutants, func(m mutants.Mutant) bool { return m.Name == p.Mutant })
	if at < 0 {
		return nil
	}
	m := &cfg.Mutants[at]
	extra := slices.DeleteFunc(slices.Clone(p.Damage), func(d string) bool { return slices.Contains(m.Damage, d) })
	for _, check := range p.Audit {
		if !slices.Contains(m.Audit, check) {
			extra = append(extra, "lying ("+check+")")
		}
	}
	return extra
}

// silent is an engine.Progress that tells nobody.
type silent struct{}

func (silent) CaseStarted(string, string, time.Duration)                       {}
func (silent) CaseDone(string, string, reports.Verdict, time.Duration, string) {}
func (silent) Note(string)                                                     {}

var _ engine.Progress = silent{}

// Check reports what makes a proof impossible before anything is run: a
// scenario that names no mutant or one that does not exist, or a mutant that no
// scenario catches.
func Check(entries []catalog.Entry, all []mutants.Mutant) error {
	for _, e := range entries {
		s := e.Scenario()
		for _, name := range s.Catches {
			known := slices.ContainsFunc(all, func(m mutants.Mutant) bool { return m.Name == name })
			if !known && name != Any {
				return fmt.Errorf("%s: catches: no mutant is named %q", s.ID, name)
			}
		}
		if len(s.Catches) == 0 {
			return fmt.Errorf("%s names no mutant that it catches", s.ID)
		}
	}
	for _, m := range all {
		for _, check := range m.Audit {
			if !slices.Contains(audit.Names(), check) {
				return fmt.Errorf("mutant %s: audit: no check is named %q", m.Name, check)
			}
		}
	}
	catchAll := slices.ContainsFunc(entries, func(e catalog.Entry) bool { return slices.Contains(e.Scenario().Catches, Any) })
	if left := Unnamed(entries, all); len(left) > 0 && !catchAll {
		return fmt.Errorf("no scenario catches %s", strings.Join(left, ", "))
	}
	return nil
}
