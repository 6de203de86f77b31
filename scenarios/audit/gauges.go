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
			if len(d.held()) == 0 {
				return []string{"a gauge of what is under way that we know"}
			}
			return nil
		},
		end: func(d *desk) int {
			running := d.running()
			for _, word := range d.held() {
				now, before, _ := d.meter.tell(word)
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
		if _, _, ok := d.meter.tell(word); ok && (word == "inflight" || !d.checksHealth()) {
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
	n, looked := 0, d.meter.after.At
	if d.meter.signal == metrics {
		looked = d.Case.Target.Quiet.At
	}
	for i := range d.Spans.List {
		s := &d.Spans.List[i]
		if (s.Kind == otlp.Server || s.Kind == otlp.Client) && s.End > looked-skew/10 && s.Start < d.meter.after.At+skew {
			n++
		}
	}
	return n
}
