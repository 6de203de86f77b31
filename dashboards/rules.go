package dashboards

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// A Pace is how fast rules watch: 1 is real time. Proofs that cannot wait for
// hours watch faster, with every window and every "for" shorter by this factor.
type Pace float64

// Of gives a time at this pace as PromQL writes it.
func (p Pace) Of(d time.Duration) string {
	if p > 0 {
		d = time.Duration(float64(d) / float64(p))
	}
	ms := max(d.Milliseconds(), 1)
	var b strings.Builder
	for _, unit := range []struct {
		name string
		ms   int64
	}{{"d", 86_400_000}, {"h", 3_600_000}, {"m", 60_000}, {"s", 1000}, {"ms", 1}} {
		if n := ms / unit.ms; n > 0 {
			b.WriteString(strconv.FormatInt(n, 10) + unit.name)
			ms %= unit.ms
		}
	}
	return b.String()
}

// RuleFile is a file of Prometheus rules.
type RuleFile struct {
	Groups []RuleGroup `yaml:"groups"`
}

// A RuleGroup is evaluated in order, together.
type RuleGroup struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval,omitempty"`
	Rules    []Rule `yaml:"rules"`
}

// A Rule records a series or raises an alert.
type Rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// Rules gives every rule: figures recorded for the dashboards, the alerts, and
// for each objective its burn rates.
func Rules(p Pace, slos []SLO) RuleFile {
	f := RuleFile{Groups: []RuleGroup{
		{Name: "gauntlet-recorded", Rules: recorded(p)},
		{Name: "gauntlet-alerts", Rules: alerts(p)},
	}}
	for _, s := range slos {
		f.Groups = append(f.Groups, s.group(p))
	}
	return f
}

// YAML gives the file as Prometheus reads it.
func (f RuleFile) YAML() ([]byte, error) {
	text, err := yaml.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode rules: %w", err)
	}
	return text, nil
}

// Alerts names the alerts of the file, in order, each once.
func (f RuleFile) Alerts() []string {
	var names []string
	seen := map[string]bool{}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" && !seen[r.Alert] {
				seen[r.Alert] = true
				names = append(names, r.Alert)
			}
		}
	}
	return names
}

// recorded are figures that several panels and alerts use.
func recorded(p Pace) []Rule {
	window := "[" + p.Of(5*time.Minute) + "]"
	return []Rule{
		{Record: "gauntlet:http_requests:rate", Expr: `sum by (job, instance) (rate(gauntlet_http_requests_total` + window + `))`},
		{Record: "gauntlet:http_errors:ratio", Expr: `(sum by (job, instance) (rate(gauntlet_http_requests_total{code=~"5.."}` + window + `)) or 0 * gauntlet:http_requests:rate) / (gauntlet:http_requests:rate > 0)`},
		{Record: "gauntlet:http_duration_seconds:p95", Expr: `histogram_quantile(0.95, sum by (job, instance, le) (rate(gauntlet_http_request_duration_seconds_bucket` + window + `)))`},
		{Record: "gauntlet:retries:ratio", Expr: `sum by (job, instance) (rate(gauntlet_retries_total` + window + `)) / (gauntlet:http_requests:rate > 0)`},
	}
}
