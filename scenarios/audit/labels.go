package audit

import (
	"encoding/hex"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"gauntlet/fixtures/exchange"
)

// maxGrowth is by how many series a metric may grow in one case: ten
// methods by the statuses that occur, or thirty endpoints by a dozen outcomes.
const maxGrowth = 500

// labels: labels do not grow with the traffic. No label names an exchange or a
// trace (exemplars do, which are no labels), and no metric gets new series by
// the hundred, which a path, a query or a method of the client's choosing makes.
func labels() *Check {
	return &Check{
		Name: "labels", That: "telemetry: labels do not grow with the traffic",
		Because: "whoever can invent labels can fill the memory of proxy and monitoring", Needs: []string{metrics},
		end: func(d *desk) int {
			mark := string(marked(d.Case.Run))
			for _, name := range d.meter.after.names() {
				if grown := len(d.meter.after.series(name)) - len(d.meter.before.series(name)); grown > maxGrowth {
					d.say(0, "%s has %d series more than before the case", name, grown)
				}
				for _, m := range d.meter.after.series(name) {
					if l := d.naming(m, mark); l != nil {
						d.say(0, "label %s of %s names one exchange: %.60q", l.GetName(), name, l.GetValue())
						break
					}
				}
			}
			return 1
		},
	}
}

// naming gives a label that names an exchange of the run.
func (d *desk) naming(m *dto.Metric, mark string) *dto.LabelPair {
	for _, l := range m.GetLabel() {
		if strings.Contains(l.GetValue(), mark) {
			return l
		}
		var trace [16]byte
		if n, err := hex.Decode(trace[:], clip([]byte(l.GetValue()), 32)); err == nil && n == 16 && exchange.FromTraceID(trace).Run == d.Case.Run {
			return l
		}
	}
	return nil
}
