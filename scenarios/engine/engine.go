// Package engine runs cases: it plans, provisions backends, relays, a span
// receiver and the target, drives clients and loads while windows open and
// close, lets the target settle, tears everything down and leaves evidence;
// and it judges a directory of evidence, which is the only way to a verdict.
// One file holds one of these acts. It knows no scenario by name, no proxy by
// name, and nothing of how a report looks.
package engine

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"gauntlet/fixtures/backend"
	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/ports"
	"gauntlet/scenarios/targets"
)

// A Progress is told how far a run is. Its methods may be called from several
// goroutines.
type Progress interface {
	CaseStarted(scenario, name string, planned time.Duration)
	CaseDone(scenario, name string, verdict reports.Verdict, took time.Duration, summary string)
	Note(text string)
}

// nobody is told nothing.
type nobody struct{}

func (nobody) CaseStarted(string, string, time.Duration)                       {}
func (nobody) CaseDone(string, string, reports.Verdict, time.Duration, string) {}
func (nobody) Note(string)                                                     {}

// A StartBackend starts backend cfg.Number with its book at cfg.Book. It is
// how backends come to live elsewhere than in this process.
type StartBackend func(ctx context.Context, cfg backend.Config) (backend.Server, error)

// Config says what to run.
type Config struct {
	Dir        evidence.Dir
	Cases      []*scenarios.Case
	Sources    map[string][]byte // scenario id → its file as it was read
	Target     targets.Target
	Backend    StartBackend                // nil: embedded
	Returns    bool                        // what Backend starts can be started again at its cfg.Listen; embedded ones can
	Listen     []string                    // fixed addresses of the backends, for a target we do not start
	Taps       []Tap                       // real backends instead of scripted ones, and the taps before them
	Blind      bool                        // there are backends that nobody can put a tap before
	Bounds     Bounds                      // of what may be sent
	Env        func(string) (string, bool) // looks up the variables that commands name; nil knows none
	Supervisor []string                    // command prefix that runs a process under the supervisor
	Seed       uint64
	Repeat     int          // of every case; at least 1
	Parallel   int          // cases at the same time, those that run alone apart; at least 1
	Progress   Progress     // nil: nobody is told
	Companion  Companion    // nil: nobody goes along
	Run        evidence.Run // what run.json says beside the cases
}

// Engine runs one Config.
type Engine struct {
	cfg   Config
	ports *ports.Ports
	mu    sync.Mutex
	errs  []error
}

// Run runs every case and leaves the evidence, complete or not. Its error says
// that the run could not be carried out or was interrupted; what the target did
// is the judge's word.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Backend == nil {
		cfg.Returns = true
		// A run that is broken off ends its clients first: what a backend cut
		// short would make the target answer is no doing of the target's.
		cfg.Backend = func(ctx context.Context, c backend.Config) (backend.Server, error) {
			return backend.Start(context.WithoutCancel(ctx), c)
		}
	}
	if cfg.Progress == nil {
		cfg.Progress = nobody{}
	}
	if cfg.Companion == nil {
		cfg.Companion = nobodyBeside{}
	}
	if len(cfg.Listen)+len(cfg.Taps) > 0 || cfg.Blind {
		cfg.Parallel = 1 // two cases cannot have one address at a time
	}
	block, err := ports.Claim()
	if err != nil {
		return err
	}
	defer func() { _ = block.Close() }()
	e := &Engine{cfg: cfg, ports: block}
	began := time.Now()
	planned := e.planned()
	run := cfg.Run
	run.Schema, run.Seed, run.Cases, run.Tier = evidence.RunSchema, cfg.Seed, nil, cfg.tier()
	for _, p := range planned {
		run.Cases = append(run.Cases, p.ref)
	}
	if err := os.MkdirAll(string(cfg.Dir), 0o755); err != nil {
		return fmt.Errorf("make the run's directory: %w", err)
	}
	for id, text := range cfg.Sources {
		if err := cfg.Dir.SaveScenario(id, text); err != nil {
			return err
		}
	}
	run.Interrupted = true // until it is known to be whole
	if err := cfg.Dir.SaveRun(&run); err != nil {
		return err
	}
	e.all(ctx, planned)
	run.Interrupted = ctx.Err() != nil
	run.Seconds = time.Since(began).Seconds()
	if err := cfg.Dir.SaveRun(&run); err != nil {
		return err
	}
	return errors.Join(append(e.errs, context.Cause(ctx))...)
}

// planned is a case to be run and its seed.
type planned struct {
	*scenarios.Case
	ref  evidence.CaseRef
	seed uint64
}

func (e *Engine) planned() []planned {
	var all []planned
	for _, c := range e.cfg.Cases {
		for n := range max(1, e.cfg.Repeat) * max(1, c.Repeat) {
			ref := evidence.CaseRef{Scenario: c.ID, Slug: c.Slug, Repetition: n + 1}
			all = append(all, planned{Case: c, ref: ref, seed: seedOf(e.cfg.Seed, ref)})
		}
	}
	return all
}

// seedOf draws a case's own seed from the run's, so that a case behaves the
// same whatever else is run.
func seedOf(seed uint64, ref evidence.CaseRef) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d\x00%s\x00%s\x00%d", seed, ref.Scenario, ref.Slug, ref.Repetition)
	return h.Sum64()
}

// all runs the cases that tolerate neighbours first, several at a time, then
// the others one by one.
func (e *Engine) all(ctx context.Context, cases []planned) {
	var wg sync.WaitGroup
	queue := make(chan planned)
	for range max(1, e.cfg.Parallel) {
		wg.Go(func() {
			for p := range queue {
				e.one(ctx, p)
			}
		})
	}
	for _, p := range cases {
		if !p.Serial && len(p.Load) == 0 && ctx.Err() == nil {
			queue <- p
		}
	}
	close(queue)
	wg.Wait()
	for _, p := range cases {
		if (p.Serial || len(p.Load) > 0) && ctx.Err() == nil {
			e.one(ctx, p)
		}
	}
}

// one runs a case and tells what came of it.
func (e *Engine) one(ctx context.Context, p planned) {
	title := p.Slug
	if p.ref.Repetition > 1 {
		title = fmt.Sprintf("%s #%d", p.Slug, p.ref.Repetition)
	}
	e.cfg.Progress.CaseStarted(p.ID, title, p.Planned())
	began := time.Now()
	facts := e.run(ctx, p)
	if err := e.cfg.Dir.SaveCase(facts); err != nil {
		e.mu.Lock()
		e.errs = append(e.errs, err)
		e.mu.Unlock()
		return
	}
	verdict, summary := e.verdict(p.Case, facts)
	e.cfg.Progress.CaseDone(p.ID, title, verdict, time.Since(began), summary)
}

// verdict judges a case for the progress line; the report judges it again.
func (e *Engine) verdict(c *scenarios.Case, facts *evidence.Case) (reports.Verdict, string) {
	if len(facts.Unsupported) > 0 {
		return reports.Unsupported, facts.Unsupported[0]
	}
	j, err := examine(e.cfg.Dir, c, facts)
	if err != nil {
		return reports.Invalid, err.Error()
	}
	var verdicts []reports.Verdict
	summary := ""
	worst := reports.Pass
	for _, f := range j.findings {
		verdicts = append(verdicts, f.Verdict)
		if f.Verdict != reports.Pass && f.Verdict != reports.Unsupported && (summary == "" || f.Verdict.Rank() < worst.Rank()) {
			worst, summary = f.Verdict, sentence(f)
		}
	}
	return reports.Merge(verdicts...), summary
}

func sentence(f expect.Finding) string {
	if f.Message != "" {
		return f.That + ": " + f.Message
	}
	return f.That
}

// newRun draws the Run of a case's exchange ids. It is not drawn from the seed:
// two runs of one seed must not take each other's stragglers for their own.
func newRun() uint64 {
	for {
		if r := rand.Uint64(); r != 0 {
			return r
		}
	}
}
