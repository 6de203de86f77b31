package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gauntlet/reports"
	"gauntlet/reports/render"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

// carryOut runs what cfg says, shows how far it is, also to cfg.Progress if
// that is set, and leaves evidence and reports, also of a run that was
// interrupted: what did not run is invalid there.
func carryOut(ctx context.Context, w *world, cfg engine.Config, notes, formats []string) (*reports.Report, error) {
	show := newProgress(w.Stderr, engine.Plan(cfg).Runs)
	for _, n := range notes {
		show.Note(n)
	}
	if cfg.Progress == nil {
		cfg.Progress = show
	} else {
		cfg.Progress = both{show, cfg.Progress}
	}
	runErr := engine.Run(ctx, cfg)
	if err := show.Close(); err != nil {
		return nil, err
	}
	if runErr != nil {
		if _, err := fmt.Fprintln(w.Stderr, runErr); err != nil {
			return nil, err
		}
	}
	return writeReports(cfg.Dir, formats)
}

// chooseTarget gives the target that --target names, or, when it names none,
// the one described here, or the reference proxy; and says which that was.
func chooseTarget(name string, p permission) (chosen, string, []string, error) {
	var notes []string
	if name == "" {
		if _, err := os.Stat(userTarget); err == nil {
			name = userTarget
			notes = append(notes, "target: ./"+userTarget+" (found here)")
		} else {
			name = "reference"
			notes = append(notes, "target: the reference proxy (no ./"+userTarget+" here, no --target given)")
		}
	}
	target, err := findTarget(name, p)
	return target, name, notes, usage(err)
}

// outDir gives the directory for evidence: out, which must hold nothing yet,
// or a new one below runs, to which runs/latest then points.
func outDir(out, prefix string) (evidence.Dir, error) {
	if out == "" {
		out = filepath.Join("runs", prefix+time.Now().UTC().Format("20060102-150405.000"))
		if err := latest(out); err != nil {
			return "", err
		}
	}
	if err := freshDir(out); err != nil {
		return "", err
	}
	return evidenceDir(out)
}

// madeUpSeed is short, so that people can pass it on.
func madeUpSeed() uint64 { return uint64(time.Now().UnixNano())%1_000_000 + 1 }

// writeReports judges the directory and writes report.json and the reports
// asked for.
func writeReports(dir evidence.Dir, formats []string) (*reports.Report, error) {
	report, err := engine.Judge(dir)
	if err != nil {
		return nil, err
	}
	for _, format := range append([]string{"json"}, formats...) {
		if err := writeReport(dir, format, report); err != nil {
			return nil, err
		}
	}
	return report, nil
}

func writeReport(dir evidence.Dir, format string, report *reports.Report) error {
	name, err := render.FileName(format)
	if err != nil {
		return usage(err)
	}
	path := filepath.Join(string(dir), name)
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	err = render.Write(f, format, report, render.Options{Dir: string(dir)})
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
