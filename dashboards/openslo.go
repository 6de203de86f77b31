package dashboards

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// An SLO is a service level objective out of an OpenSLO v1 document: the share
// of events that must be good over a rolling window.
type SLO struct {
	Name, Title string
	Target      float64       // share of good events, below 1
	Window      time.Duration // rolling, over which the budget counts
	// Bad and Total count events in PromQL, with Window standing where the
	// range of a rate goes.
	Bad, Total string
}

// rangeWord stands in the queries of a document for the range.
const rangeWord = "{{.window}}"

// ErrOpenSLO is wrapped by every problem of a document.
var ErrOpenSLO = errors.New("OpenSLO document")

// The parts of an OpenSLO v1 document that rules are made from.
type openSLO struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name        string `yaml:"name"`
		DisplayName string `yaml:"displayName"`
	} `yaml:"metadata"`
	Spec struct {
		BudgetingMethod string `yaml:"budgetingMethod"`
		TimeWindow      []struct {
			Duration  string `yaml:"duration"`
			IsRolling bool   `yaml:"isRolling"`
		} `yaml:"timeWindow"`
		Indicator struct {
			Spec struct {
				RatioMetric struct {
					Good  openMetric `yaml:"good"`
					Bad   openMetric `yaml:"bad"`
					Total openMetric `yaml:"total"`
				} `yaml:"ratioMetric"`
			} `yaml:"spec"`
		} `yaml:"indicator"`
		Objectives []struct {
			Target float64 `yaml:"target"`
		} `yaml:"objectives"`
	} `yaml:"spec"`
}

type openMetric struct {
	MetricSource struct {
		Type string `yaml:"type"`
		Spec struct {
			Query string `yaml:"query"`
		} `yaml:"spec"`
	} `yaml:"metricSource"`
}

func (m openMetric) query() string { return strings.TrimSpace(m.MetricSource.Spec.Query) }

// ReadSLOs reads every SLO of an OpenSLO v1 document; documents of other kinds
// beside them are passed over. name is for errors.
func ReadSLOs(name string, text io.Reader) ([]SLO, error) {
	var all []SLO
	d := yaml.NewDecoder(text)
	for i := 1; ; i++ {
		var o openSLO
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w %s: document %d: %w", ErrOpenSLO, name, i, err)
		}
		if o.Kind != "SLO" {
			continue
		}
		s, err := o.slo()
		if err != nil {
			return nil, fmt.Errorf("%w %s: %s: %w", ErrOpenSLO, name, o.Metadata.Name, err)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w %s: no document of kind SLO", ErrOpenSLO, name)
	}
	return all, nil
}

func (o openSLO) slo() (SLO, error) {
	s := SLO{Name: o.Metadata.Name, Title: o.Metadata.DisplayName}
	if s.Title == "" {
		s.Title = s.Name
	}
	metric := o.Spec.Indicator.Spec.RatioMetric
	good, bad, total := metric.Good.query(), metric.Bad.query(), metric.Total.query()
	switch {
	case o.APIVersion != "openslo/v1":
		return s, fmt.Errorf("apiVersion: found %q; allowed: openslo/v1", o.APIVersion)
	case s.Name == "":
		return s, errors.New("metadata.name: missing")
	case o.Spec.BudgetingMethod != "" && o.Spec.BudgetingMethod != "Occurrences":
		return s, fmt.Errorf("spec.budgetingMethod: found %q; allowed: Occurrences", o.Spec.BudgetingMethod)
	case len(o.Spec.TimeWindow) != 1 || !o.Spec.TimeWindow[0].IsRolling:
		return s, errors.New("spec.timeWindow: allowed: one window, rolling")
	case len(o.Spec.Objectives) != 1:
		return s, fmt.Errorf("spec.objectives: found %d; allowed: one", len(o.Spec.Objectives))
	case (good == "") == (bad == "") || total == "":
		return s, errors.New("spec.indicator.spec.ratioMetric: allowed: total and either good or bad, each with metricSource.spec.query")
	}
	for _, q := range []string{good + bad, total} {
		if !strings.Contains(q, "["+rangeWord+"]") {
			return s, fmt.Errorf("query %q: has no [%s] where its range goes", q, rangeWord)
		}
	}
	s.Target = o.Spec.Objectives[0].Target
	if !(s.Target > 0 && s.Target < 1) {
		return s, fmt.Errorf("spec.objectives[0].target: found %v; allowed: above 0 and below 1", s.Target)
	}
	var err error
	if s.Window, err = openDuration(o.Spec.TimeWindow[0].Duration); err != nil {
		return s, err
	}
	// What never happened has no series, and stands for none.
	none := " or 0 * (" + total + ")"
	s.Bad, s.Total = "("+bad+")"+none, total
	if bad == "" {
		s.Bad = "(" + total + ") - ((" + good + ")" + none + ")"
	}
	return s, nil
}

// openDuration reads a duration as OpenSLO spells it: 28d, 1w, 12h, 30m.
func openDuration(text string) (time.Duration, error) {
	units := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	var n int
	var unit string
	if _, err := fmt.Sscanf(text, "%d%s", &n, &unit); err != nil || n <= 0 || units[unit] == 0 {
		return 0, fmt.Errorf("spec.timeWindow[0].duration: found %q; allowed: a number and m, h, d or w", text)
	}
	return time.Duration(n) * units[unit], nil
}
