package audit

// errorLog: the log of what went wrong and the traces lead to each other. A line
// that names an exchange's trace names its server span, and one that tells of an
// error leads to a span that tells of one. A span back to a line when the target
// cut the answer or made a failure of its own of it; what a backend answered is no
// error of the target's, and what a client that left made of its answer is nobody's.
func errorLog() *Check {
	return &Check{
		Name: "error-log", That: "telemetry: errors in the log and failed spans lead to each other",
		Because: "an error without a trace cannot be followed, and one without a line is not seen", Needs: []string{traces}, errors: true,
		lack: func(d *desk) []string {
			switch j := d.now.journal; {
			case j.log == nil:
				return []string{"a log of errors that names traces"}
			case j.why != "":
				return []string{"whole " + j.signal + " (" + j.why + ")"}
			}
			return nil
		},
		each: func(d *desk, v *view) {
			s := v.server()
			if s == nil {
				return // sampled away, or the check of server spans says so
			}
			for _, l := range d.lines {
				switch {
				case l.Trace != s.Trace || l.Span != s.ID:
					d.say(v.Seq, "a line of the error log about exchange %d names span %s, its server span is %s", v.Seq, short(l.Span), short(s.ID))
				case l.Failed && !s.Failed():
					d.say(v.Seq, "the error log tells of a failure of exchange %d, its server span of none", v.Seq)
				}
			}
			ours := !left(v.Client) && d.heard(v)
			if ours && s.Class != "" && (s.Aborted || s.Code >= 500) && len(d.lines) == 0 {
				d.say(v.Seq, "the server span of exchange %d says %q, the error log nothing", v.Seq, s.Class)
			}
		},
	}
}
