package audit

import "gauntlet/fixtures/book"

// failures holds a counter of errors against the answers of 500 and above.
func (d *desk) failures() []string {
	m, due, t := d.metric(errorsRole), 0, &d.meter.tally
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
// not ten times what clients measured, and five seconds for each beside, since a
// target may be stopped between its last byte and its line. What a log
// counts beyond the body, such as the head or the marks of chunks, is its own
// affair.
func logFigures() *Check {
	return &Check{
		Name: "log-figures", That: "telemetry: log lines name the bytes and the time that an answer took",
		Because: "bills and reports are made of them", Needs: []string{logs},
		lack: func(d *desk) []string {
			if j := d.now.journal; j.log.Sized == 0 && j.log.Timed == 0 {
				return []string{"bytes or durations in " + j.title}
			}
			return nil
		},
		each: func(d *desk, v *view) {
			j, c := d.now.journal, v.Client
			l := j.line()
			if l == nil || c.Status < 200 || left(c) || !d.plain(v) || d.told(v) {
				return
			}
			if l.Sized && l.Bytes < c.RespBytes {
				d.say(v.Seq, "the client of exchange %d got %d bytes, its %s says %d", v.Seq, c.RespBytes, j.name, l.Bytes)
			}
			j.logged += l.Took
			j.waited += float64(c.Ended-c.Started) + 5e8
		},
		end: func(d *desk) int {
			if j := d.now.journal; j.logged > 10*j.waited {
				d.say(0, "the durations in %s sum up to %.3f s, clients measured %.3f s: another unit?", j.title, j.logged/1e9, j.waited/1e9)
			}
			return 1
		},
	}
}
