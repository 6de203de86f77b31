package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gauntlet/reports"
)

// TrendSchema names this version of Trend.
const TrendSchema = "gauntlet.trend/v1"

// ErrFigure is wrapped when a figure is none that the history keeps.
var ErrFigure = errors.New("no such figure")

// figures gives what each is called, how it is computed and its unit.
var figures = []struct{ name, sql, unit string }{
	{"p50", "s.p50", "ms"},
	{"p90", "s.p90", "ms"},
	{"p95", "s.p95", "ms"},
	{"p99", "s.p99", "ms"},
	{"max", "s.max", "ms"},
	{"failed", "100.0 * s.failed / nullif(s.sent, 0)", "%"},
	{"damaged", "100.0 * s.damaged / nullif(s.sent, 0)", "%"},
	{"unknown", "100.0 * s.unknown / nullif(s.sent, 0)", "%"},
}

// Figures names the figures that have a trend: latencies from the intended start,
// and shares of the exchanges sent.
func Figures() (names []string) {
	for _, f := range figures {
		names = append(names, f.name)
	}
	return names
}

// A Trend is how a figure of a target went from version to version.
type Trend struct {
	Schema    string     `json:"schema"`
	Target    string     `json:"target"`
	Figure    string     `json:"figure"`
	Unit      string     `json:"unit"` // ms or %
	Scenarios []Scenario `json:"scenarios"`
	// Invalid counts the figures left out because their scenario was invalid.
	Invalid int `json:"invalid"`
}

// A Scenario is the trend of one scenario.
type Scenario struct {
	ID     string  `json:"id"`
	Points []Point `json:"points"` // in order of the first run of each
}

// A Point sums up the runs of one version and revision on one kind of machine.
type Point struct {
	Version  string    `json:"version,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Machine  string    `json:"machine,omitempty"`
	First    time.Time `json:"first"` // when the first of them began
	Runs     int       `json:"runs"`
	Median   float64   `json:"median"`
	Min      float64   `json:"min"`
	Max      float64   `json:"max"`
}

// Trend gives the trend of a figure of a target, of one scenario or, where it is
// "", of all; nothing is in it of which there is no run. The error wraps ErrFigure
// for a figure that is none.
func (d *DB) Trend(ctx context.Context, target, figure, scenario string) (_ *Trend, err error) {
	i := slices.Index(Figures(), figure)
	if i < 0 {
		return nil, fmt.Errorf("%w: %q; allowed: %q", ErrFigure, figure, Figures())
	}
	out := &Trend{Schema: TrendSchema, Target: target, Figure: figure, Unit: figures[i].unit, Scenarios: []Scenario{}}
	rows, err := d.db.QueryContext(ctx, `SELECT s.scenario, s.verdict, r.version, r.revision, r.machine, r.started, `+figures[i].sql+` AS figure
		FROM runs r JOIN scenarios s ON s.run = r.id
		WHERE r.target = ? AND ? IN ('', s.scenario) AND figure IS NOT NULL ORDER BY s.scenario, r.started, r.id`, target, scenario)
	if err != nil {
		return nil, fmt.Errorf("trend: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	points := gathered{out: out}
	for rows.Next() {
		var id, verdict, started string
		var p Point
		if err := rows.Scan(&id, &verdict, &p.Version, &p.Revision, &p.Machine, &started, &p.Median); err != nil {
			return nil, fmt.Errorf("trend: %w", err)
		}
		if p.First, err = time.Parse(layout, started); err != nil {
			return nil, fmt.Errorf("trend: %w", err)
		}
		if reports.Verdict(verdict) == reports.Invalid {
			out.Invalid++
			continue
		}
		points.add(id, p)
	}
	points.end()
	return out, rows.Err()
}

// gathered sums the figures of one scenario after the other up.
type gathered struct {
	out    *Trend
	values [][]float64 // by point of the last scenario
}

func (g *gathered) add(id string, p Point) {
	if n := len(g.out.Scenarios); n == 0 || g.out.Scenarios[n-1].ID != id {
		g.end()
		g.out.Scenarios = append(g.out.Scenarios, Scenario{ID: id})
	}
	s := &g.out.Scenarios[len(g.out.Scenarios)-1]
	i := slices.IndexFunc(s.Points, func(q Point) bool {
		return q.Version == p.Version && q.Revision == p.Revision && q.Machine == p.Machine
	})
	if i < 0 {
		i = len(s.Points)
		s.Points, g.values = append(s.Points, p), append(g.values, nil)
	}
	g.values[i] = append(g.values[i], p.Median)
}

// end settles the points of the last scenario.
func (g *gathered) end() {
	for i, v := range g.values {
		slices.Sort(v)
		p := &g.out.Scenarios[len(g.out.Scenarios)-1].Points[i]
		p.Runs, p.Min, p.Max = len(v), v[0], v[len(v)-1]
		p.Median = (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	g.values = nil
}
