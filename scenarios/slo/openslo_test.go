package slo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/decode"
	"gauntlet/scenarios/slo"
)

const ratio = `apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-availability, displayName: Shop}
spec:
  service: shop
  indicator:
    metadata: {name: availability}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: gauntlet, spec: {load: mix, metric: available}}}
        total: {metricSource: {type: gauntlet, spec: {load: mix, metric: sent}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - {displayName: three nines, target: 0.999}
`

const threshold = `apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-latency}
spec:
  service: shop
  indicator:
    metadata: {name: latency}
    spec:
      thresholdMetric: {metricSource: {type: gauntlet, spec: {load: mix, metric: latency, only: unpaced}}}
  budgetingMethod: Occurrences
  objectives:
    - {op: lte, value: 0.25, target: 0.99}
    - {op: lte, value: 1, targetPercent: 99.9}
    - {op: lte, value: 2, target: 1}
`

func TestReadOpenSLO(t *testing.T) {
	three := slo.Ratio(0.999)
	got, err := slo.ReadOpenSLO("slo.yaml", []byte(ratio))
	require.NoError(t, err)
	require.Equal(t, []slo.Objective{{Over: "mix", Because: "three nines", Availability: &three}}, got)
	got, err = slo.ReadOpenSLO("slo.yaml", []byte(threshold))
	require.NoError(t, err)
	require.Equal(t, []slo.Objective{
		{Over: "mix", Only: "unpaced", Latency: slo.Latency{"p99": units.Duration(250 * time.Millisecond)}},
		{Over: "mix", Only: "unpaced", Latency: slo.Latency{"p99.9": units.Duration(time.Second)}},
		{Over: "mix", Only: "unpaced", Latency: slo.Latency{"max": units.Duration(2 * time.Second)}},
	}, got)
}

func TestOpenSLOThatCannotBeJudgedIsRefused(t *testing.T) {
	for _, c := range []struct{ base, old, new, want string }{
		{ratio, "openslo/v1", "openslo/v2", `slo.yaml:1:13: apiVersion: found "openslo/v2"; allowed: openslo/v1`},
		{ratio, "kind: SLO", "kind: Service", `slo.yaml:2:7: kind: found "Service"; allowed: SLO`},
		{ratio, "Occurrences", "Timeslices", `slo.yaml:14:20: spec.budgetingMethod: found "Timeslices"; allowed: Occurrences`},
		{ratio, "name: shop-availability, ", "", `slo.yaml:3:11: metadata.name: found nothing; allowed: a name, it is required`},
		{ratio, "good: {metricSource: {type: gauntlet", "good: {metricSource: {type: Prometheus", `slo.yaml:11:37: spec.indicator.spec.ratioMetric.good.metricSource.type: found "Prometheus"; allowed: gauntlet`},
		{ratio, "{load: mix, metric: sent}", "{load: other, metric: sent}", `slo.yaml:10:9: spec.indicator.spec.ratioMetric: good and total are of different exchanges; allowed: the same load and only`},
		{ratio, "metric: available", "metric: good", `slo.yaml:11:73: spec.indicator.spec.ratioMetric.good.metricSource.spec.metric: found "good"; allowed: available`},
		{ratio, "target: 0.999", "target: 1.5", `slo.yaml:16:7: spec.objectives[0]: found no target above 0 and at most 1; allowed: target: 0.99, or targetPercent: 99`},
		{ratio, "target: 0.999", "op: lte, target: 0.999", `slo.yaml:16:7: spec.objectives[0]: found op or value beside ratioMetric; allowed: target alone`},
		{ratio, "displayName: three nines, ", "timeSliceTarget: 0.9, ", `slo.yaml:16:8: spec.objectives[0].timeSliceTarget: unknown key "timeSliceTarget"; allowed: displayName, op, value, target, targetPercent`},
		{threshold, "op: lte, value: 0.25", "op: gt, value: 0.25", `slo.yaml:12:12: spec.objectives[0].op: found "gt"; allowed: lte`},
		{threshold, "value: 0.25", "value: 0", `slo.yaml:12:24: spec.objectives[0].value: allowed: seconds above 0 and below 86400`},
	} {
		require.Contains(t, c.base, c.old)
		_, err := slo.ReadOpenSLO("slo.yaml", []byte(strings.Replace(c.base, c.old, c.new, 1)))
		require.ErrorIs(t, err, decode.ErrInvalid)
		require.EqualError(t, err, c.want)
	}
}

func FuzzReadOpenSLO(f *testing.F) {
	f.Add([]byte(ratio))
	f.Add([]byte(threshold))
	f.Fuzz(func(t *testing.T, data []byte) {
		objectives, err := slo.ReadOpenSLO("slo.yaml", data)
		if err != nil {
			require.ErrorIs(t, err, decode.ErrInvalid)
			return
		}
		for _, o := range objectives {
			require.Empty(t, o.Check([]string{o.Over}, nil))
		}
	})
}
