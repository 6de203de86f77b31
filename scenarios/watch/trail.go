package watch

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/otlp"
)

// A Trail is what came of following figures to their traces and log lines.
type Trail struct {
	Exemplars int      // that Prometheus gave
	Followed  int      // of them, to a trace and to a line in Loki that name each other
	Lines     int      // sent to Loki
	Broken    []string // where a trail ended
	Collector bool     // the spans came through a collector
}

// mostFollowed bounds the exemplars of one trail.
const mostFollowed = 200

// follow sends the proxy's log to a Loki and goes from each exemplar of a query
// to the trace it names, from there to the log line that Loki finds by it, and
// from the line's span id back into the trace.
func (cfg Config) follow(ctx context.Context, dir string, p *Prometheus, facts *evidence.Case, run evidence.Dir) (t Trail, err error) {
	if err := os.MkdirAll(filepath.Join(dir, "loki"), 0o755); err != nil {
		return t, fmt.Errorf("%w: %w", ErrLoki, err)
	}
	l, err := StartLoki(ctx, cfg.Loki, filepath.Join(dir, "loki"), cfg.Supervisor)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, l.Stop()) }()
	ref := evidence.CaseRef{Scenario: facts.Scenario, Slug: facts.Slug, Repetition: facts.Repetition}
	log, err := os.Open(filepath.Join(run.Target(ref), facts.Target.Says.Log))
	if err != nil {
		return t, fmt.Errorf("open the proxy's log: %w", err)
	}
	defer func() { _ = log.Close() }() // read only
	if t.Lines, err = l.Push(ctx, service, log); err != nil {
		return t, err
	}
	spans, err := otlp.ReadSpans(run.Spans(ref))
	if err != nil {
		return t, err
	}
	from, until := span(facts)
	traces, err := p.Exemplars(ctx, cfg.Trail, from, until)
	if err != nil {
		return t, err
	}
	slices.Sort(traces)
	traces = slices.Compact(traces)
	t.Exemplars = len(traces)
	for _, id := range traces[:min(len(traces), mostFollowed)] {
		found, err := l.Lines(ctx, fmt.Sprintf(`{service_name=%q} | json | trace_id=%q`, service, id), from.Add(-noticed), until.Add(noticed))
		if err != nil {
			return t, err
		}
		if broken := joins(id, found, spans.List); broken != "" {
			t.Broken = append(t.Broken, "trace "+id+": "+broken)
			continue
		}
		t.Followed++
	}
	if t.Exemplars == 0 {
		t.Broken = append(t.Broken, "Prometheus has no exemplar of "+cfg.Trail)
	}
	return t, nil
}

// service is the label under which Loki keeps the proxy's log.
const service = "gauntlet-proxy"

// joins says where the way from a trace to its log line and back ends, "" when
// it does not.
func joins(id string, lines []string, spans []otlp.Span) string {
	var trace []string // its spans
	for i := range spans {
		if hex.EncodeToString(spans[i].Trace[:]) == id {
			trace = append(trace, hex.EncodeToString(spans[i].ID[:]))
		}
	}
	switch {
	case len(trace) == 0:
		return "no span was exported under it"
	case len(lines) == 0:
		return "Loki has no line that names it"
	}
	for _, text := range lines {
		var line struct {
			Span string `json:"span_id"`
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil || !slices.Contains(trace, line.Span) {
			return fmt.Sprintf("its log line names span %q, which it does not have", line.Span)
		}
	}
	return ""
}
