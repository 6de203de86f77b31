package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/bench"
)

type devBenchCmd struct {
	Only        []string       `arg:"" optional:"" help:"Names of the proxies to measure; default: all there are but those with a collector in trouble. The base is always measured."`
	Peers       string         `help:"The program that tools/bench builds." default:"bin/bench-peers" type:"path"`
	Base        string         `help:"The proxy others are compared with." default:"httputil"`
	Body        []units.Size   `help:"Sizes of an answer's body." default:"128,16KiB,1MiB"`
	Connections []int          `help:"Connections kept alive, a request under way on each." default:"16,256"`
	Rounds      int            `help:"In each of them all proxies take turns." default:"5"`
	Cell        units.Duration `help:"How long one proxy is loaded in one cell of one round." default:"1s"`
	Idle        []int          `help:"Numbers of idle client connections whose memory is measured, for a line through them; they may repeat. 0: none." default:"2000,8000,15000"`
	Seed        uint64         `help:"Of the order within rounds." default:"1"`
	Core        int            `help:"The core of the proxies." default:"0"`
	LoadCore    int            `help:"The core of load and backend." default:"1"`
	Out         string         `help:"Directory for bench.json, bench.md and what the proxies write; default runs/bench-TIME." type:"path"`
}

// Help shows examples.
func (devBenchCmd) Help() string {
	return `Runs whole proxies side by side, each on one core, with backend and load on another, and says what a request costs. All take turns in every round: compare figures of one run only.

Examples:

  $ gauntlet dev bench
  $ gauntlet dev bench reference nginx --body 128 --connections 16 --rounds 9 --idle 0
  $ gauntlet dev bench reference-collector-slow reference-collector-down --base reference-full --idle 0`
}

// Run measures.
func (c devBenchCmd) Run(ctx context.Context, w *world) error {
	contestants, err := c.contestants()
	if err != nil {
		return usage(err)
	}
	if c.Rounds < 1 || c.Cell <= 0 || len(c.Body) == 0 || len(c.Connections) == 0 || slices.Min(c.Connections) < 1 {
		return usage(errors.New("gauntlet dev bench: --rounds, --cell, --body and --connections must each be at least one"))
	}
	if len(c.Idle) > 0 && slices.Min(c.Idle) < 0 {
		return usage(fmt.Errorf("gauntlet dev bench: --idle is %d; allowed: 0 and more", slices.Min(c.Idle)))
	}
	if c.Out == "" {
		c.Out = filepath.Join("runs", "bench-"+time.Now().UTC().Format("20060102-150405"))
	}
	if err := freshDir(c.Out); err != nil {
		return err
	}
	dir, err := evidenceDir(c.Out)
	if err != nil {
		return err
	}
	cfg := bench.Config{
		Contestants: contestants, Base: c.Base, Connections: c.Connections, Rounds: c.Rounds, Cell: c.Cell.D(), Idle: c.Idle,
		Seed: c.Seed, Core: c.Core, LoadCore: c.LoadCore, Dir: string(dir), Supervisor: supervisor(),
		Progress: func(line string) { _, _ = fmt.Fprintln(w.Stderr, line) },
	}
	cfg.Idle = slices.DeleteFunc(cfg.Idle, func(n int) bool { return n == 0 })
	for _, size := range c.Body {
		cfg.Bodies = append(cfg.Bodies, int(size))
	}
	result, err := bench.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if err := writeBench(string(dir), result); err != nil {
		return err
	}
	if err := result.Markdown(w.Stdout); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.Stderr, "figures in %s\n", filepath.Join(string(dir), "bench.json"))
	return err
}

// contestants are those that were asked for, and the base.
func (c devBenchCmd) contestants() ([]bench.Contestant, error) {
	peers := c.Peers
	if _, err := os.Stat(peers); err != nil {
		peers = ""
	}
	all := bench.Contestants(program(), peers)
	var names []string
	for _, one := range all {
		names = append(names, one.Name)
	}
	for _, name := range append([]string{c.Base}, c.Only...) {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("no proxy to measure is named %q; allowed here: %s (those of tools/bench need %s, which make bench builds)", name, strings.Join(names, ", "), c.Peers)
		}
	}
	return slices.DeleteFunc(all, func(one bench.Contestant) bool {
		named := one.Name == c.Base || slices.Contains(c.Only, one.Name)
		return !named && (one.Named || len(c.Only) > 0)
	}), nil
}

// writeBench leaves the result for people and for machines.
func writeBench(dir string, r *bench.Result) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write bench.json: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write bench.json: %w", err)
	}
	f, err := os.Create(filepath.Join(dir, "bench.md"))
	if err != nil {
		return fmt.Errorf("write bench.md: %w", err)
	}
	return errors.Join(r.Markdown(f), f.Close())
}
