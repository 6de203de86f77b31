package audit

import (
	"bytes"
	"fmt"

	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/otlp"
)

// ReadRecords reads the log records that a target exported by OTLP, as lines. A
// record that names method and status, in its attributes or in a body that is
// JSON or a map, is a line of the access log; errors are the others that belong
// to a trace. Both have the trace and the span that the record itself names.
func ReadRecords(path string, run uint64) (access, errors *Log, err error) {
	access, errors = newLog(evidence.Fields{}), newLog(evidence.Fields{})
	mark := marked(run)
	counts, complete, err := otlp.ReadRecords(path, func(r *otlp.Record) {
		l := reading{log: access, Line: Line{Trace: r.Trace, Span: r.Span}, run: run, mark: mark}
		if l.Trace != [16]byte{} {
			l.belongs()
		}
		if body := bytes.TrimSpace(r.Body); len(body) > 0 && body[0] == '{' {
			whole := l
			if members(body, whole.member) {
				l = whole
			}
		}
		for _, f := range r.Fields {
			l.member(f.Key, f.Value)
		}
		switch line := l.line(); {
		case l.status && l.method:
			access.take(line)
		case line.Seq != 0:
			errors.take(line)
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the log records %s: %w", path, err)
	}
	access.Refused, access.Complete = counts.Refused, complete
	return access, errors, nil
}
