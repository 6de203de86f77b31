package capacity

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"

	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/book"
	"gauntlet/scenarios"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// Engine is a Prober that runs each probe as a case of its own: the target is
// started anew, so that nothing of one probe bears on the next.
type Engine struct {
	Config     engine.Config // of every probe; Dir, Cases and Sources are set here
	Dir        string        // for the evidence of probes
	Program    string        // the gauntlet binary, which is also a backend in a process of its own
	Supervisor []string
	Traces     bool // let the target export spans, as a scenario does; it pays for them
	Keep       bool // the evidence of clean probes, too
	MaxWorkers int
	Request    map[string]any    // as in a scenario's load
	Answer     map[string]any    // as a scenario's script responds
	Given      map[string]string // settings of the target
}

// Probe implements Prober. The Measured is nil beside an error.
func (e *Engine) Probe(ctx context.Context, o Offer) (*Measured, error) {
	name := fmt.Sprintf("probe-%02d", o.N)
	if o.Direct {
		name = fmt.Sprintf("direct-%02d", o.N)
	}
	source, cases, err := e.scenario("capacity/"+name, o)
	if err != nil {
		return nil, err
	}
	c := newCompanion(o)
	cfg := e.Config
	cfg.Dir, cfg.Cases, cfg.Sources = evidence.Dir(filepath.Join(e.Dir, name)), cases, map[string][]byte{cases[0].ID: source}
	cfg.Repeat, cfg.Parallel, cfg.Companion, cfg.Seed = 1, 1, c, e.Config.Seed+uint64(o.N)
	if o.Direct {
		cfg.Target, cfg.Listen, cfg.Taps, cfg.Blind = direct{}, nil, nil, false
	} else if !e.Traces {
		cfg.Target = silent{cfg.Target}
	}
	cfg.Backend = func(ctx context.Context, b backend.Config) (backend.Server, error) {
		s, err := e.start(ctx, b)
		if err == nil {
			c.backends(s.proc.PIDs)
		}
		return s, err
	}
	if err := engine.Run(ctx, cfg); err != nil {
		return nil, err
	}
	m, err := e.read(cfg, c)
	if err != nil {
		return nil, err
	}
	if !e.Keep && m.Ledger.Damaged() == 0 && len(m.Troubles) == 0 && (m.Ledger.Unknown() == 0 || cfg.Blind) {
		return m, os.RemoveAll(string(cfg.Dir))
	}
	m.Evidence = filepath.ToSlash(filepath.Join(filepath.Base(e.Dir), name))
	return m, nil
}

// scenario writes the case that an offer is.
func (e *Engine) scenario(id string, o Offer) ([]byte, []*scenarios.Case, error) {
	file := map[string]any{
		"id": id, "question": "Is this rate carried?", "level": "must",
		"backends": []any{map[string]any{"script": []any{map[string]any{"do": []any{
			map[string]any{"read": "request"}, map[string]any{"respond": e.Answer},
		}}}}},
		"load": []any{map[string]any{
			"name": "offered", "rate": strconv.FormatFloat(o.Rate, 'f', -1, 64) + "/s", "for": (o.Warm + o.For).String(),
			"max_workers": e.MaxWorkers, "request": e.Request,
		}},
		"expect":  []any{"invariants"},
		"failure": "Each damaged exchange is listed with its time line.",
	}
	if len(e.Given) > 0 && !o.Direct {
		file["given"] = e.Given
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		return nil, nil, fmt.Errorf("capacity: %w", err)
	}
	cases, err := scenarios.Parse("gauntlet capacity", text)
	return text, cases, err
}

// read takes from the evidence what the search needs.
func (e *Engine) read(cfg engine.Config, c *companion) (*Measured, error) {
	ref := evidence.CaseRef{Scenario: cfg.Cases[0].ID, Slug: cfg.Cases[0].Slug, Repetition: 1}
	facts, err := cfg.Dir.LoadCase(ref)
	if err != nil {
		return nil, err
	}
	if len(facts.Unsupported) > 0 {
		return nil, &targets.Unsupported{Target: facts.Target.Name, Lacks: facts.Unsupported}
	}
	judged, err := engine.Judge(cfg.Dir)
	if err != nil {
		return nil, err
	}
	seen, err := book.Read(cfg.Dir.ClientBook(ref))
	if err != nil {
		return nil, err
	}
	m := c.measured()
	m.Blind = cfg.Blind
	m.Ledger, m.Settings, m.Troubles = judged.Ledger, facts.Settings, facts.Errors
	for _, l := range facts.Loads {
		m.Planned, m.Sent, m.Late, m.Starved = int(l.Planned), int(l.Sent), int(l.Late), int(l.Starved)
	}
	for i := range seen.Clients {
		x := &seen.Clients[i]
		m.Samples = append(m.Samples, Sample{
			At: time.Duration(x.Intended - facts.Begin), From: time.Duration(x.Started - facts.Begin), End: time.Duration(x.Ended - facts.Begin),
			Good: x.End.Clean() && x.Status != 0 && x.Status < 500,
		})
	}
	m.Crashed = facts.Target.Crashed
	return m, nil
}

// silent is a target that is not told where to send spans.
type silent struct{ targets.Target }

func (s silent) Plan(w targets.Wants) (*targets.Plan, error) {
	w.OTLP, w.OTLPGRPC = "", ""
	return s.Target.Plan(w)
}

// direct is the backend in the place of a target.
type direct struct{}

func (direct) Name() string    { return "direct" }
func (direct) Version() string { return "" }

func (direct) Plan(w targets.Wants) (*targets.Plan, error) {
	return &targets.Plan{Dir: w.Dir, Address: w.Backends[0], Ready: targets.Ready{Timeout: 10 * time.Second}}, nil
}
