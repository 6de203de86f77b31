package slo

import (
	"fmt"
	"strconv"
	"time"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/decode"
)

// The part of an OpenSLO v1 document that can be judged in one run: kind SLO
// with an indicator in place, either a ratio of available to sent exchanges or a
// threshold on latency, whose metric source is ours. The time window is not
// used: the run is the window.
type document struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       struct {
		Description string `yaml:"description"`
		Service     string `yaml:"service"`
		Indicator   struct {
			Metadata metadata `yaml:"metadata"`
			Spec     struct {
				Description string `yaml:"description"`
				Ratio       *struct {
					Counter bool   `yaml:"counter"`
					Good    metric `yaml:"good"`
					Total   metric `yaml:"total"`
				} `yaml:"ratioMetric"`
				Threshold *metric `yaml:"thresholdMetric"`
			} `yaml:"spec"`
		} `yaml:"indicator"`
		TimeWindow []struct {
			Duration  string `yaml:"duration"`
			IsRolling bool   `yaml:"isRolling"`
		} `yaml:"timeWindow"`
		BudgetingMethod string `yaml:"budgetingMethod"`
		Objectives      []goal `yaml:"objectives"`
	} `yaml:"spec"`
}

type metadata struct {
	Name        string            `yaml:"name"`
	DisplayName string            `yaml:"displayName"`
	Annotations map[string]string `yaml:"annotations"`
	Labels      map[string]string `yaml:"labels"`
}

type metric struct {
	Source struct {
		Type string `yaml:"type"`
		Spec struct {
			Load   string `yaml:"load"`
			Metric string `yaml:"metric"`
			Only   string `yaml:"only"`
		} `yaml:"spec"`
	} `yaml:"metricSource"`
}

type goal struct {
	DisplayName   string   `yaml:"displayName"`
	Op            string   `yaml:"op"`
	Value         *float64 `yaml:"value"`
	Target        *float64 `yaml:"target"`
	TargetPercent *float64 `yaml:"targetPercent"`
}

// sourceType is the metricSource type of figures that a run of ours gives.
const sourceType = "gauntlet"

// Bounds of what an objective can mean.
const (
	minShare   = 1e-6
	maxSeconds = 86400.0
)

// ReadOpenSLO reads one OpenSLO v1 document of kind SLO as objectives, one for
// each of its own. The error is a *decode.Error with every problem; what OpenSLO
// can say and a run cannot judge is one of them.
func ReadOpenSLO(file string, data []byte) ([]Objective, error) {
	root, err := decode.Parse(file, data)
	if err != nil {
		return nil, err
	}
	var doc document
	d := decode.NewDocument(file, root)
	d.Decode(&doc)
	say := func(bad bool, path, format string, args ...any) {
		if bad {
			d.Reject(path, fmt.Sprintf(format, args...))
		}
	}
	say(doc.APIVersion != "openslo/v1", "apiVersion", "found %q; allowed: openslo/v1", doc.APIVersion)
	say(doc.Kind != "SLO", "kind", "found %q; allowed: SLO", doc.Kind)
	say(doc.Metadata.Name == "", "metadata.name", "found nothing; allowed: a name, it is required")
	say(doc.Spec.BudgetingMethod != "Occurrences", "spec.budgetingMethod", "found %q; allowed: Occurrences", doc.Spec.BudgetingMethod)
	say(len(doc.Spec.Objectives) == 0, "spec.objectives", "found none; allowed: at least one")
	in := &doc.Spec.Indicator.Spec
	say((in.Ratio == nil) == (in.Threshold == nil), "spec.indicator.spec", "allowed: one of ratioMetric, thresholdMetric")
	var source metric
	switch {
	case in.Ratio != nil:
		source = in.Ratio.Good
		in.Ratio.Good.check("spec.indicator.spec.ratioMetric.good", "available", say)
		in.Ratio.Total.check("spec.indicator.spec.ratioMetric.total", "sent", say)
		say(in.Ratio.Good.Source.Spec.Load != in.Ratio.Total.Source.Spec.Load || in.Ratio.Good.Source.Spec.Only != in.Ratio.Total.Source.Spec.Only, "spec.indicator.spec.ratioMetric", "good and total are of different exchanges; allowed: the same load and only")
	case in.Threshold != nil:
		source = *in.Threshold
		in.Threshold.check("spec.indicator.spec.thresholdMetric", "latency", say)
	}
	var objectives []Objective
	for i, g := range doc.Spec.Objectives {
		at := decode.Index("spec.objectives", i)
		share := g.share()
		say(!(share >= minShare && share <= 1), at, "found no target above 0 and at most 1; allowed: target: 0.99, or targetPercent: 99")
		say(g.Target != nil && g.TargetPercent != nil, at, "found both target and targetPercent; allowed: one of them")
		o := Objective{Over: source.Source.Spec.Load, Only: source.Source.Spec.Only, Because: g.DisplayName}
		if in.Threshold != nil {
			say(g.Op != "lte", at+".op", "found %q; allowed: lte", g.Op)
			value := time.Duration(0)
			if g.Value != nil && *g.Value < maxSeconds {
				value = time.Duration(*g.Value * float64(time.Second))
			}
			say(value <= 0, at+".value", "allowed: seconds above 0 and below %.0f", maxSeconds)
			o.Latency = Latency{quantum(share): units.Duration(value)}
		} else {
			say(g.Op != "" || g.Value != nil, at, "found op or value beside ratioMetric; allowed: target alone")
			ratio := Ratio(share)
			o.Availability = &ratio
		}
		objectives = append(objectives, o)
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return objectives, nil
}

func (m *metric) check(path, want string, say func(bad bool, path, format string, args ...any)) {
	s := m.Source
	say(s.Type != sourceType, path+".metricSource.type", "found %q; allowed: %s", s.Type, sourceType)
	say(s.Spec.Metric != want, path+".metricSource.spec.metric", "found %q; allowed: %s", s.Spec.Metric, want)
	say(s.Spec.Load == "", path+".metricSource.spec.load", "found nothing; allowed: the name of a load")
	say(s.Spec.Only != "" && s.Spec.Only != "unpaced", path+".metricSource.spec.only", "found %q; allowed: unpaced", s.Spec.Only)
}

func (g *goal) share() float64 {
	switch {
	case g.Target != nil:
		return *g.Target
	case g.TargetPercent != nil:
		return *g.TargetPercent / 100
	}
	return 0
}

// quantum writes a share as a quantile: 0.999 is p99.9, 1 is max.
func quantum(share float64) Quantum {
	// Ten digits drop what multiplying a decimal share adds.
	percent, _ := strconv.ParseFloat(strconv.FormatFloat(share*100, 'f', 10, 64), 64)
	if percent >= 100 {
		return "max"
	}
	return Quantum("p" + strconv.FormatFloat(percent, 'f', -1, 64))
}
