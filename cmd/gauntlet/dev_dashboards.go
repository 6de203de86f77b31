package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gauntlet/dashboards"
	"gauntlet/reports"
	"gauntlet/scenarios/targets"
	"gauntlet/scenarios/watch"
)

type devDashboardsCmd struct {
	Seed      uint64 `help:"Of everything drawn." default:"1"`
	Out       string `help:"Directory for the evidence of every drill; default runs/dashboards-TIME." type:"path"`
	Loki      string `help:"Program of Grafana Loki (make loki), to which the log of the calm drill goes." type:"existingfile" placeholder:"FILE"`
	Collector string `help:"Program of an OpenTelemetry Collector (make collector) through which the spans of the calm drill go." type:"existingfile" placeholder:"FILE"`
}

// Help shows an example.
func (devDashboardsCmd) Help() string {
	return `Drives the reference proxy through drills while a real Prometheus (the program prometheus, found in PATH) scrapes it: each alert must fire in its drill and no other may, none in calm, and every query of every dashboard must give data. Time passes 60 times as fast in rules. With --loki each exemplar of the calm drill is followed to its trace, to the log line that a real Loki finds by it, and back. Ends with 1 when anything does not hold.

Examples:

  $ gauntlet dev dashboards
  $ make loki collector && gauntlet dev dashboards --loki bin/loki --collector bin/collector`
}

// pace is how many times as fast as in real life rules watch a drill: five
// minutes are five seconds.
const pace dashboards.Pace = 60

// Run proves.
func (c devDashboardsCmd) Run(ctx context.Context, w *world) error {
	slos, err := dashboards.DefaultSLOs()
	if err != nil {
		return err
	}
	file := dashboards.Rules(pace, slos)
	rules, err := file.YAML()
	if err != nil {
		return err
	}
	dir := c.Out
	if dir == "" {
		dir = filepath.Join("runs", "dashboards-"+time.Now().UTC().Format("20060102-150405"))
	}
	if err := freshDir(dir); err != nil {
		return err
	}
	abs, err := evidenceDir(dir)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find myself: %w", err)
	}
	metrics, err := serveRunMetrics(ctx, ":0", 0)
	if err != nil {
		return err
	}
	var sayErr error
	result, err := watch.Run(ctx, watch.Config{
		Dir: string(abs), Target: targets.Reference(program), Supervisor: supervisor(), Seed: c.Seed,
		Trail: trailQuery, Loki: c.Loki, Collector: c.Collector,
		Rules: rules, Alerts: file.Alerts(), Queries: queries(), Told: metrics,
		Beside: []watch.Source{{Job: "gauntlet-run", Address: metrics.address}},
		Progress: func(o watch.Outcome) {
			line := "ok"
			if len(o.Missing) > 0 {
				line = "MISSING " + strings.Join(o.Missing, ", ")
			}
			if len(o.Wrong) > 0 {
				line += " WRONG " + strings.Join(o.Wrong, ", ")
			}
			if o.Judged != "" && o.Judged != reports.Pass {
				line += " its own verdict is " + string(o.Judged)
			}
			if o.Busy && !o.Holds() {
				line += " (the machine is busy with other work: not clear)"
			}
			_, err := fmt.Fprintf(w.Stdout, "%-10s %5.1fs  fired: %-50s %s\n", o.Drill, o.Seconds, strings.Join(o.Fired, ", "), line)
			sayErr = errors.Join(sayErr, err, sayTrail(w, o.Trail))
		},
	})
	if err := errors.Join(err, sayErr, metrics.Close()); err != nil {
		return err
	}
	for _, expr := range result.Silent {
		if err := w.say("no data: %s", expr); err != nil {
			return err
		}
	}
	for _, name := range result.Unproven {
		if err := w.say("no drill is for alert %s", name); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w.Stdout, "%d drills · %d alerts · %d of %d queries gave data (evidence in %s)\n", len(result.Outcomes), len(file.Alerts()), result.Queries-len(result.Silent), result.Queries, abs); err != nil {
		return err
	}
	switch {
	case result.OK():
		return nil
	case result.Unclear():
		return &verdictError{reports.Invalid}
	}
	return &verdictError{reports.Fail}
}

// trailQuery is whose exemplars are followed.
const trailQuery = "gauntlet_http_request_duration_seconds_bucket"

func sayTrail(w *world, t *watch.Trail) error {
	if t == nil {
		return nil
	}
	through := ""
	if t.Collector {
		through = ", spans through a collector"
	}
	_, err := fmt.Fprintf(w.Stdout, "           %d log lines in Loki, %d of %d exemplars followed to their trace, its log line and back%s\n", t.Lines, t.Followed, t.Exemplars, through)
	for _, broken := range t.Broken {
		_, e := fmt.Fprintf(w.Stdout, "           broken: %s\n", broken)
		err = errors.Join(err, e)
	}
	return err
}

// queries gives those of every panel and rule, as they are asked in a drill.
func queries() []watch.Query {
	in := strings.NewReplacer("$__rate_interval", pace.Of(5*time.Minute), "${instance:regex}", ".*", "${upstream:regex}", ".*", "${slo:regex}", ".*")
	var all []watch.Query
	for _, q := range dashboards.PromQL() {
		all = append(all, watch.Query{Expr: in.Replace(q.Expr), Rare: q.Rare != "", Exemplar: q.Exemplar})
	}
	return all
}
