package audit

import (
	"slices"

	"gauntlet/fixtures/book"
)

// success: nothing is recorded as a success that the client did not get. The
// client saw its answer cut, reset or never begun, while span or log call it
// good and say of no error. That accuses only where nobody but the target can
// have ended the exchange: not when the client left or had a part in it (see
// left), not when a fault acted on its connection, and not once the target was
// told to end. A log line must say so only where the log has a word for it: in
// many formats the status is the one sent and nothing more.
func success() *Check {
	return &Check{
		Name: "success", That: "telemetry: no success is recorded that the client did not get",
		Because: "a loss that the target calls a success is never looked for", lack: func(d *desk) []string {
			if d.traced.whole() || slices.ContainsFunc(d.logs, d.tellsCuts) {
				return nil
			}
			return []string{"whole traces, or a log that tells of answers that were cut"}
		},
		each: func(d *desk, v *view) {
			c := v.Client
			broken := c.End == book.EndNone || c.End == book.EndCut || c.End == book.EndReset
			if !broken || left(c) || !d.heard(v) || d.told(v) {
				return
			}
			if s := v.server(); s != nil && d.traced.whole() && good(s.Code) && !s.Failed() {
				d.say(v.Seq, "the client of exchange %d saw its answer end by %s, its server span says %d and no error", v.Seq, c.End, s.Code)
			}
			for _, j := range d.logs {
				if l := j.line(); l != nil && d.tellsCuts(j) && good(l.Status) && !l.Failed {
					d.say(v.Seq, "the client of exchange %d saw its answer end by %s, its %s says %d and no error", v.Seq, c.End, j.name, l.Status)
				}
			}
		},
	}
}

// tellsCuts reports whether a log is whole and has a word for answers that were
// cut.
func (d *desk) tellsCuts(j *journal) bool {
	return j.whole() && (d.Case.Target.Says.LogTraces || j.names.Failed != "")
}
