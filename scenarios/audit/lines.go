package audit

// logLines: each exchange that the target took has one line in the access log,
// and no exchange has two. Where lines name traces and nobody exports any, each
// names its own. See taken for those that may have none.
func logLines() *Check {
	return &Check{
		Name: "log-lines", That: "telemetry: each exchange has one line in the access log",
		Because: "who counts lines counts requests", Needs: []string{logs},
		lack: func(d *desk) []string {
			if j := d.now.journal; len(j.log.Lines) > 0 && !j.named() {
				return []string{"an exchange id or trace id in " + j.title}
			}
			return nil
		},
		each: func(d *desk, v *view) {
			j := d.now.journal
			switch n := len(d.lines); {
			case n > 1:
				d.say(v.Seq, "exchange %d has %d lines in %s", v.Seq, n, j.title)
			case n == 0 && d.taken(v) && d.settled(v):
				d.say(v.Seq, "exchange %d has no line in %s", v.Seq, j.title)
			}
			if l := j.line(); l != nil && j.names.Trace != "" && (!l.Traced || l.Trace != v.id.TraceID()) && !d.traced.whole() {
				d.say(v.Seq, "the %s of exchange %d does not name its trace", j.name, v.Seq)
			}
		},
	}
}

// named reports whether any line names an exchange of the run. A log in which
// none does is one that has no field for it.
func (j *journal) named() bool {
	for i := range j.log.Lines {
		if j.log.Lines[i].Seq != 0 {
			return true
		}
	}
	return false
}

// logTraces: log and trace lead to each other. Each line names the trace of its
// exchange and its server span, which is there; a line that tells of a failure
// leads to a span that does, and a failed span back to a line that does, or to
// one that names a status of 500 or more. Of a log that names traces and no
// spans, or that has no word for a failure, only the rest is asked.
func logTraces() *Check {
	return &Check{
		Name: "log-traces", That: "telemetry: log lines and traces lead to each other",
		Because: "from a line in a log one must come to the trace, and back", Needs: []string{logs, traces},
		lack: func(d *desk) []string {
			if !d.Case.Target.Says.LogTraces && d.now.journal.names.Trace == "" {
				return []string{"trace_id and span_id in the access log"}
			}
			return nil
		},
		each: func(d *desk, v *view) {
			for _, l := range d.lines {
				d.leads(v, l)
			}
		},
	}
}

func (d *desk) leads(v *view, l *Line) {
	name, names, all := d.now.journal.name, &d.now.journal.names, d.Case.Target.Says.LogTraces
	spans, fails := all || names.Span != "", all || names.Failed != ""
	switch s := v.server(); {
	case !l.Traced:
		d.say(v.Seq, "the %s of exchange %d names no trace", name, v.Seq)
	case l.Trace != v.id.TraceID():
		d.say(v.Seq, "the %s of exchange %d names the trace of another", name, v.Seq)
	case s == nil:
		return // sampled away, or the check of server spans says so
	case spans && l.Span != s.ID:
		d.say(v.Seq, "the %s of exchange %d names span %s, its server span is %s", name, v.Seq, short(l.Span), short(s.ID))
	case fails && l.Failed && !s.Failed():
		d.say(v.Seq, "the %s of exchange %d tells of a failure, its server span of none", name, v.Seq)
	case fails && s.Failed() && !l.Failed && l.Status < 500:
		d.say(v.Seq, "the server span of exchange %d tells of a failure, its %s of none", v.Seq, name)
	case l.Route != "" && s.Route != "" && l.Route != s.Route:
		d.say(v.Seq, "the %s of exchange %d names the route %q, its server span %q", name, v.Seq, l.Route, s.Route)
	}
}
