package audit

import (
	"strings"

	"gauntlet/scenarios/otlp"
)

// gauges: what counts things under way is back to where it was once nothing is
// under way any more. Whether anything is, the target's own spans tell: an
// exchange whose client has gone may go on for as long as the target waits for
// its backend. The gauges of the pool are not looked at where the target checks
// its backends' health, which takes connections of its own.
func gauges() *Check {
	return &Check{
		Name: "gauges", That: "telemetry: gauges of what is under way return to where they were",
		Because: "a gauge that only rises hides the leak it is there to show", Needs: []string{metrics, traces},
		lack: func(d *desk) []string {
			if t := &d.Case.Target; t.Quiet == nil || t.Baseline == nil || len(d.held()) == 0 {
				return []string{"a gauge of what is under way that we know"}
			}
			return nil
		},
		end: func(d *desk) int {
			t := &d.Case.Target
			running := d.running()
			for _, word := range d.held() {
				now, before := t.Quiet.Metrics[word], t.Baseline.Metrics[word]
				if now > before+float64(running) || now < 0 {
					d.say(0, "%s is %v after the case and was %v before; by its spans %d exchanges were under way", word, now, before, running)
				}
			}
			return 1
		},
	}
}

// held are the gauges of what is held for exchanges, as far as the target has
// them.
func (d *desk) held() []string {
	var words []string
	for _, word := range []string{"inflight", "pool_leased", "pool_waiting"} {
		if _, ok := d.Case.Target.Quiet.Metrics[word]; ok && (word == "inflight" || !d.checksHealth()) {
			words = append(words, word)
		}
	}
	return words
}

func (d *desk) checksHealth() bool {
	for name := range d.Case.Settings {
		if strings.HasPrefix(name, "upstream.health.") {
			return true
		}
	}
	return false
}

// running counts the exchanges and attempts that may have been under way when
// the metrics were read.
func (d *desk) running() int {
	n := 0
	for i := range d.Spans.List {
		s := &d.Spans.List[i]
		if (s.Kind == otlp.Server || s.Kind == otlp.Client) && s.End > d.Case.Target.Quiet.At-skew/10 && s.Start < d.After.At+skew {
			n++
		}
	}
	return n
}
