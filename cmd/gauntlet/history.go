package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gauntlet/reports/history"
)

type historyCmd struct {
	DB    string          `name:"db" help:"File of the history; gauntlet/history.db in the user's data directory otherwise." type:"path"`
	Add   historyAddCmd   `cmd:"" help:"Keep what runs came to."`
	List  historyListCmd  `cmd:"" help:"List the runs that are kept."`
	Trend historyTrendCmd `cmd:"" help:"Show how a figure of a target went, version by version."`
}

// Help shows examples.
func (historyCmd) Help() string {
	return `Keeps what runs came to in a file of SQLite and shows how a target's figures went, by version and commit. To add a run again, such as one that was judged anew, replaces it.

Examples:

  $ gauntlet history add runs/latest --commit "$(git rev-parse --short HEAD)"
  $ gauntlet history trend --target edge --figure p99`
}

type historyAddCmd struct {
	Dirs   []string `arg:"" name:"dir" help:"Directories of runs." type:"existingdir"`
	Commit string   `help:"Commit of the target that these runs tested."`
}

// Run adds the runs, each for itself.
func (c historyAddCmd) Run(ctx context.Context, w *world, h *historyCmd) error {
	return h.with(ctx, func(db *history.DB) error {
		for _, dir := range c.Dirs {
			report, err := readReport(dir)
			if err != nil {
				return err
			}
			added, err := db.Add(ctx, report, c.Commit)
			if err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
			what := "added"
			if !added {
				what = "replaced"
			}
			if _, err := fmt.Fprintf(w.Stdout, "%s %s: %s, %s\n", what, report.ID(), report.Target.Name, report.Verdict); err != nil {
				return err
			}
		}
		return nil
	})
}

type historyListCmd struct {
	Target string `help:"Runs of this target only."`
	Last   int    `help:"At most so many, the latest first." default:"50"`
	Format string `help:"What is written to standard output: text or json." default:"text" enum:"text,json"`
}

// Run lists.
func (c historyListCmd) Run(ctx context.Context, w *world, h *historyCmd) error {
	if c.Last < 1 {
		return usage(fmt.Errorf("--last: found %d; allowed: 1 and more", c.Last))
	}
	return h.with(ctx, func(db *history.DB) error {
		runs, err := db.Runs(ctx, c.Target, c.Last)
		if err != nil {
			return err
		}
		if c.Format == "json" {
			return indented(w.Stdout, append([]history.Run{}, runs...))
		}
		return history.WriteRuns(w.Stdout, runs)
	})
}

type historyTrendCmd struct {
	Target   string `help:"Whose trend." required:""`
	Figure   string `help:"p50, p90, p95, p99 or max latency in ms; failed, damaged or unknown in per cent." default:"p99" enum:"p50,p90,p95,p99,max,failed,damaged,unknown"`
	Scenario string `help:"Of this scenario only."`
	Format   string `help:"What is written to standard output: text or json." default:"text" enum:"text,json"`
}

// Run shows the trend.
func (c historyTrendCmd) Run(ctx context.Context, w *world, h *historyCmd) error {
	return h.with(ctx, func(db *history.DB) error {
		trend, err := db.Trend(ctx, c.Target, c.Figure, c.Scenario)
		if err != nil {
			return err
		}
		if len(trend.Scenarios)+trend.Invalid == 0 {
			targets, err := db.Targets(ctx)
			return usage(errors.Join(fmt.Errorf("no %s of %q is kept; there are runs of %q", c.Figure, c.Target, targets), err))
		}
		if c.Format == "json" {
			return indented(w.Stdout, trend)
		}
		return history.WriteTrend(w.Stdout, trend)
	})
}

// with opens the history for as long as do runs.
func (h *historyCmd) with(ctx context.Context, do func(*history.DB) error) (err error) {
	path := h.DB
	if path == "" {
		if path, err = historyFile(); err != nil {
			return err
		}
	}
	db, err := history.Open(ctx, path)
	if errors.Is(err, history.ErrFile) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(db)
}

// historyFile is the file in the user's data directory, which it makes.
// A relative XDG_DATA_HOME is ignored (XDG Base Directory Specification).
func historyFile() (string, error) {
	data := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", usage(fmt.Errorf("--db: there is no data directory to keep it in: %w", err))
		}
		data = filepath.Join(home, ".local", "share")
	}
	dir := filepath.Join(data, "gauntlet")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", usage(fmt.Errorf("--db: %w", err))
	}
	return filepath.Join(dir, "history.db"), nil
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
