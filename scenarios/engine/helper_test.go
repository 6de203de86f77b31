package engine_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// hop is a target inside this process. It lacks what it is told to lack.
type hop struct {
	t       *testing.T
	wrap    func(forward http.Handler) http.Handler // nil: an honest proxy
	lacks   []string
	planned func(targets.Wants)
}

func (h hop) Name() string    { return "hop" }
func (h hop) Version() string { return "1" }

func (h hop) Plan(w targets.Wants) (*targets.Plan, error) {
	if h.planned != nil {
		h.planned(w)
	}
	if len(h.lacks) > 0 {
		return nil, &targets.Unsupported{Target: h.Name(), Lacks: h.lacks}
	}
	transport := &http.Transport{}
	forward := forwarder(transport, w.Backends[0])
	if h.wrap != nil {
		forward = h.wrap(forward)
	}
	server := httptest.NewServer(forward)
	h.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return &targets.Plan{Address: strings.TrimPrefix(server.URL, "http://"), Settings: w.Given}, nil
}

// told is an engine.Progress that keeps what it is told.
type told struct {
	mu    sync.Mutex
	done  []reports.Verdict
	began func(scenario string)
}

func (p *told) CaseStarted(scenario, _ string, _ time.Duration) {
	if p.began != nil {
		p.began(scenario)
	}
}

func (p *told) CaseDone(_, _ string, v reports.Verdict, _ time.Duration, _ string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = append(p.done, v)
}

func (p *told) Note(string) {}

// ask is the file of a scenario of that name.
func ask(name, rest string) string {
	return "id: test/" + name + "\nquestion: Does it?\nlevel: must\n" + rest
}

// echo is what most scenarios here ask with: a backend that answers.
const echo = `
backends: [{script: [{do: [{read: request}, {respond: {status: 200, body: 512}}]}]}]
`

// plain is a scenario that a correct proxy passes.
var plain = ask("plain", echo+`
clients: [{do: [{send: {path: /}, as: first}, {receive: {status: 200}}]}]
expect: [ledger.delivered == 1, ledger.damaged == 0]
`)

// config is a run of these scenario files on the target.
func config(t *testing.T, target targets.Target, texts ...string) engine.Config {
	t.Helper()
	cfg := engine.Config{
		Dir: evidence.Dir(t.TempDir()), Sources: map[string][]byte{}, Target: target, Seed: 7, Repeat: 1, Parallel: 1,
		Supervisor: []string{os.Args[0], "supervise", "--"}, Progress: &told{}, Env: os.LookupEnv,
		Run: evidence.Run{Target: evidence.RunTarget{Name: target.Name()}, Started: "2026-06-15T12:00:00Z", Backends: "embedded"},
	}
	for _, text := range texts {
		cases, err := scenarios.Parse("test.yaml", []byte(text))
		require.NoError(t, err)
		cfg.Cases = append(cfg.Cases, cases...)
		cfg.Sources[cases[0].ID] = []byte(text)
	}
	return cfg
}

// carry runs it to its end and judges it.
func carry(t *testing.T, cfg engine.Config) *reports.Report {
	t.Helper()
	require.NoError(t, engine.Run(context.Background(), cfg))
	return judge(t, cfg.Dir)
}

func judge(t *testing.T, dir evidence.Dir) *reports.Report {
	t.Helper()
	r, err := engine.Judge(dir)
	require.NoError(t, err)
	return r
}

// only gives the one scenario of the report.
func only(t *testing.T, r *reports.Report) *reports.Scenario {
	t.Helper()
	require.Len(t, r.Scenarios, 1)
	return &r.Scenarios[0]
}

// finding gives what came of a statement.
func finding(t *testing.T, s *reports.Scenario, that string) reports.Finding {
	t.Helper()
	i := slices.IndexFunc(s.Findings, func(f reports.Finding) bool { return f.That == that })
	require.GreaterOrEqual(t, i, 0, "%q is none of %+v", that, s.Findings)
	return s.Findings[i]
}

// facts gives what case.json says of the first repetition.
func facts(t *testing.T, cfg engine.Config) *evidence.Case {
	t.Helper()
	c, err := cfg.Dir.LoadCase(ref(cfg, 1))
	require.NoError(t, err)
	return c
}

// ref names a repetition of the first case.
func ref(cfg engine.Config, n int) evidence.CaseRef {
	return evidence.CaseRef{Scenario: cfg.Cases[0].ID, Slug: cfg.Cases[0].Slug, Repetition: n}
}
