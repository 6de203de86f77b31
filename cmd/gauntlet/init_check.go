package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gauntlet/reports"
	"gauntlet/scenarios"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

// initScenario is one request, and a graceful stop where there is one.
const initScenario = `id: init/one-request
question: Does a request travel through the proxy to a backend and back?
level: must
backends: [{script: [{do: [{read: request}, {respond: {status: 200, body: 64}}]}]}]
clients: [{do: [{send: {method: GET, path: /}, as: request}, {receive: {status: 200}}, {reach: answered}]}]
expect: [{that: exchange("request").outcome == "delivered"}]
`

const initDrain = "actions: [{await: answered, do: drain}]\n"

// check says step by step what works of the target that the file describes. It
// leaves no evidence: what there is to know, it says.
func (c initCmd) check(ctx context.Context, w *world) error {
	target, err := findTarget(c.Out, permission{})
	if err != nil {
		return usage(err)
	}
	text := initScenario
	if target.drains {
		text += initDrain
	}
	cases, err := scenarios.Parse("gauntlet init", []byte(text))
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "gauntlet-init-")
	if err != nil {
		return fmt.Errorf("gauntlet init: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	cfg := target.onto(engine.Config{
		Dir: evidence.Dir(temp), Sources: map[string][]byte{cases[0].ID: []byte(text)}, Cases: cases,
		Supervisor: supervisor(), Seed: 1, Run: target.run(c.Out),
	})
	if err := engine.Run(ctx, cfg); err != nil {
		return err
	}
	steps, err := stepsOf(cfg.Dir)
	if err != nil {
		return err
	}
	return c.tell(w, steps)
}

// A step is something that had to work, and what was wrong with it.
type step struct{ what, wrong string }

// stepsOf reads them from the evidence. The first that went wrong ends them.
func stepsOf(dir evidence.Dir) ([]step, error) {
	report, err := engine.Judge(dir)
	if err != nil {
		return nil, err
	}
	ref := evidence.CaseRef{Scenario: "init/one-request", Slug: "default", Repetition: 1}
	facts, err := dir.LoadCase(ref)
	if err != nil {
		return nil, err
	}
	t, c := facts.Target, report.Scenarios[0].Cases[0]
	said := lastWords(filepath.Join(dir.Target(ref), "output.log"))
	steps := []step{{what: "it starts and serves"}}
	if facts.Sent == 0 || len(facts.Unsupported) > 0 {
		steps[0].wrong = strings.Join(append(facts.Errors, facts.Unsupported...), "; ")
		return steps, nil
	}
	through := step{what: "a request travels through it to a backend and back"}
	if c.Ledger.Delivered != 1 {
		for _, e := range c.Exchanges {
			through.wrong = e.Outcome + ", because " + e.Why + said
		}
		return append(steps, through), nil
	}
	steps = append(steps, through)
	if t.PID == 0 {
		return steps, nil // it is not ours to stop
	}
	stop := step{what: "it stops"}
	if t.Drained > 0 {
		stop.what = fmt.Sprintf("it stops gracefully, in %s", time.Duration(t.Exited-t.Drained).Round(time.Millisecond))
		if how := ended(t.ExitCode); how != "" {
			stop = step{what: "it stops gracefully", wrong: how + said}
		}
	}
	steps = append(steps, stop)
	if v := report.Verdict; !v.Good(false) && stop.wrong == "" {
		var wrong []string
		for _, f := range report.Scenarios[0].Findings {
			if !f.Verdict.Good(false) {
				wrong = append(wrong, f.That+": "+f.Detail)
			}
		}
		steps = append(steps, step{what: "nothing else is wrong", wrong: strings.Join(append(wrong, facts.Errors...), "; ") + said})
	}
	return steps, nil
}

// ended says what is wrong with the exit code of a graceful stop.
func ended(code int) string {
	switch {
	case code == 0:
		return ""
	case code < 0:
		return "it was ended by a signal, as one is that leaves the signal to the system, or takes too long and is killed"
	}
	return fmt.Sprintf("it ended with code %d, not 0", code)
}

func (c initCmd) tell(w *world, steps []step) error {
	var out strings.Builder
	last := steps[len(steps)-1]
	for _, s := range steps {
		if s.wrong == "" {
			fmt.Fprintf(&out, "  ok      %s\n", s.what)
		} else {
			fmt.Fprintf(&out, "  not ok  %s\n          %s\n", s.what, s.wrong)
		}
	}
	if last.wrong == "" {
		fmt.Fprintf(&out, "next: gauntlet run --target %s\n", c.Out)
	} else {
		fmt.Fprintf(&out, "mend %s or the proxy, then: gauntlet init --check --out %s\n", c.Out, c.Out)
	}
	if _, err := fmt.Fprint(w.Stdout, out.String()); err != nil {
		return err
	}
	if last.wrong != "" {
		return verdict(reports.Invalid, false)
	}
	return nil
}

// lastWords gives the end of what the proxy printed.
func lastWords(path string) string {
	const most = 5
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || len(strings.TrimSpace(string(text))) == 0 {
		return "; it said nothing"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "; it said: " + strings.Join(lines[max(0, len(lines)-most):], " | ")
}
