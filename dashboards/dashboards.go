// Package dashboards holds what people watch the reference proxy and a run of
// Gauntlet with, as code: Grafana dashboards, Prometheus recording and alert
// rules, the rules of service level objectives, and a compose file that starts
// all of it. Every query stands here once, as a value, so that a real Prometheus
// can be asked each of them. Nothing here knows the proxy: that a metric exists
// is proven by a test that reads its list of names.
package dashboards

import "slices"

// A Dashboard is one Grafana dashboard.
type Dashboard struct {
	UID   string // also its file's name
	Title string
	About string
	Vars  []Var
	Rows  []Row
}

// A Var is a variable of a dashboard. In queries it is ${Name:regex} or, for a
// text, $Name.
type Var struct {
	Name, Label string
	Values      string // PromQL that gives its values, as label_values(metric, label); "" is a text that people type
}

// A Row is a line of panels under a heading.
type Row struct {
	Title  string
	Panels []Panel
}

// A Panel shows what one or more queries give.
type Panel struct {
	Title   string
	About   string // what it shows and what to do when it looks wrong
	Kind    Kind
	Unit    string // Grafana's name of the unit: s, reqps, percentunit, bytes, short
	Width   uint32 // of 24; 0 is 8
	Names   map[string]string
	Queries []Query
}

// A Kind is how a panel shows its data.
type Kind string

// The kinds.
const (
	Series   Kind = "timeseries"
	Number   Kind = "stat"
	States   Kind = "state-timeline"
	Table    Kind = "table"
	LogLines Kind = "logs"   // its queries are LogQL
	OneTrace Kind = "traces" // its query is a trace id
)

// A Query is PromQL but in panels of the last two kinds.
type Query struct {
	Expr     string
	Legend   string // with {{label}}
	Exemplar bool   // shows the traces behind the figure
	// Rare says in which circumstances alone the query gives anything.
	Rare string
}

// All gives the dashboards, ordered by title.
func All() []Dashboard {
	return []Dashboard{Overview(), Upstreams(), Exchange(), Burn(), Run()}
}

// PromQL gives the queries of all panels that Prometheus answers.
func PromQL() (all []Query) {
	for _, d := range All() {
		for _, r := range d.Rows {
			for _, p := range r.Panels {
				if p.Kind != LogLines && p.Kind != OneTrace {
					all = append(all, p.Queries...)
				}
			}
		}
	}
	return slices.Clip(all)
}
