package audit

import "gauntlet/fixtures/book"

// failures holds a counter of errors against the answers of 500 and above.
func (d *desk) failures() []string {
	m, due, t := d.metric(errorsRole), 0, &d.tally
	for k, n := range t.due {
		if k.code >= 500 {
			due += n
		}
	}
	if missing := d.amiss(&m, "counter", due); m.name == "" || missing != nil {
		return missing
	}
	may, n := t.loose+t.vague+d.strays(), int(total(d.grown(&m, counted)))
	if n < due-d.open() || n > due+may {
		d.say(0, "%s counts %d errors, %d clients got a status of 500 or more and at most %d more exchanges can have ended so", m.name, n, due, may)
	}
	return nil
}

func total(by map[key]float64) float64 {
	sum := 0.0
	for _, n := range by {
		sum += n
	}
	return sum
}

// sightings counts the attempts of an exchange that a backend read whole heads
// of.
func sightings(v *view) int {
	n := 0
	for _, a := range v.Attempts {
		if a.Arrival.Flags&book.HeadWhole != 0 {
			n++
		}
	}
	return n
}

// logFigures: a log line names no fewer bytes of an answer than its client got,
// and the durations are in the unit that they are meant to be in: in sum they are
// not ten times what clients measured, and a second for each beside. What a log
// counts beyond the body, such as the head or the marks of chunks, is its own
// affair.
func logFigures() *Check {
	return &Check{
		Name: "log-figures", That: "telemetry: log lines name the bytes and the time that an answer took",
		Because: "bills and reports are made of them", Needs: []string{logs},
		lack: func(d *desk) []string {
			if d.Log.Sized == 0 && d.Log.Timed == 0 {
				return []string{"bytes or durations in the access log"}
			}
			return nil
		},
		each: func(d *desk, v *view) {
			l, c := v.line(), v.Client
			if l == nil || c.Status < 200 || left(c) || !d.plain(v) || d.told(v) {
				return
			}
			if l.Sized && l.Bytes < c.RespBytes {
				d.say(v.Seq, "the client of exchange %d got %d bytes, its log line says %d", v.Seq, c.RespBytes, l.Bytes)
			}
			d.tally.logged += l.Took
			d.tally.waited += float64(c.Ended-c.Started) + 1e8
		},
		end: func(d *desk) int {
			if t := &d.tally; t.logged > 10*t.waited {
				d.say(0, "the log's durations sum up to %.3f s, clients measured %.3f s: another unit?", t.logged/1e9, t.waited/1e9)
			}
			return 1
		},
	}
}
