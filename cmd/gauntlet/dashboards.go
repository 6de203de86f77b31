package main

import (
	"fmt"
	"os"

	"gauntlet/dashboards"
)

type dashboardsCmd struct {
	Dir string   `arg:"" help:"Directory to write into; files of these names are replaced." type:"path"`
	SLO []string `help:"OpenSLO v1 documents whose burn rates the rules watch, instead of those of the reference proxy." type:"existingfile" placeholder:"FILE"`
}

// Help shows an example.
func (dashboardsCmd) Help() string {
	return `Writes Grafana dashboards, Prometheus rules and a compose file that starts the proxy, Prometheus, Grafana, a trace store and a log store.

Example:

  $ gauntlet dashboards ./watch && cp "$(command -v gauntlet)" ./watch/
  $ docker compose --project-directory ./watch up --build
  $ gauntlet dashboards ./watch --slo our-objectives.yaml`
}

// Run writes the files.
func (c dashboardsCmd) Run(w *world) error {
	slos, err := c.objectives()
	if err != nil {
		return usage(err)
	}
	if err := dashboards.Write(c.Dir, slos); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.Stdout, "%d dashboards, rules with the burn rates of %d objectives, and compose.yaml in %s\n", len(dashboards.All()), len(slos), c.Dir)
	return err
}

func (c dashboardsCmd) objectives() ([]dashboards.SLO, error) {
	if len(c.SLO) == 0 {
		return dashboards.DefaultSLOs()
	}
	var all []dashboards.SLO
	for _, name := range c.SLO {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--slo: %w", err)
		}
		slos, err := dashboards.ReadSLOs(name, f)
		_ = f.Close() // read only
		if err != nil {
			return nil, fmt.Errorf("--slo: %w", err)
		}
		all = append(all, slos...)
	}
	return all, nil
}
