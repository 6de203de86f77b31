package main

import (
	"context"
	"fmt"
	"strings"

	"gauntlet/fixtures/mutants"
)

// devCmd groups what is for those who work on Gauntlet.
type devCmd struct {
	Mutant     devMutantCmd     `cmd:"" help:"Run the reference proxy broken in a documented way."`
	Httputil   devHttputilCmd   `cmd:"" help:"Run a plain httputil.ReverseProxy."`
	Prove      devProveCmd      `cmd:"" help:"Show that every scenario catches the mutants it names and accuses nobody wrongly."`
	Bench      devBenchCmd      `cmd:"" help:"Measure what whole proxies cost, side by side."`
	Ceiling    devCeilingCmd    `cmd:"" help:"Hold capacity reports against a ceiling that is known."`
	Dashboards devDashboardsCmd `cmd:"" help:"Show that every query of the dashboards gives data and every alert fires when it should."`
	Backend    devBackendCmd    `cmd:"" help:"Run a scripted backend that a harness controls." hidden:""`
	Supervise  devSuperviseCmd  `cmd:"" help:"Run a command so that nothing of it outlives its caller." hidden:""`
}

type devMutantCmd struct {
	Name   string `arg:"" help:"Which; see gauntlet list mutants."`
	Config string `help:"Configuration file (YAML) of the proxy." required:"" type:"path" short:"c"`
}

// Help shows an example.
func (devMutantCmd) Help() string {
	return "Example:\n\n  $ gauntlet dev mutant retry-post --config proxy.yaml"
}

// Run serves until it is told to stop.
func (c devMutantCmd) Run(ctx context.Context, w *world) error {
	m, ok := mutants.Find(c.Name)
	if !ok {
		var names []string
		for _, m := range mutants.All() {
			names = append(names, m.Name)
		}
		return usage(fmt.Errorf("no mutant is named %q; allowed: %s", c.Name, strings.Join(names, ", ")))
	}
	return serveProxy(ctx, w, proxyCmd{Config: c.Config}, m.Parts(), m.Source)
}
