package audit

import (
	"net/http"
	"slices"
)

// status: spans and log lines name the status that the client was given. A
// client that got a head and no proper end may also stand there as one that left
// (499 is nginx's word): the target saw a connection end and cannot know whose
// doing it was. Of an exchange without a status nothing is asked here.
func status() *Check {
	return &Check{
		Name: "status", That: "telemetry: spans and log lines name the status that the client got",
		Because: "error rates are made of it", lack: eitherSignal,
		each: func(d *desk, v *view) {
			c := v.Client
			if c.Status == 0 || !d.heard(v) || left(c) && !c.End.Clean() {
				return
			}
			say := func(who string, named int) {
				switch {
				case named == 0 || named == int(c.Status):
				case !c.End.Clean() && named == clientLeft:
				default:
					d.say(v.Seq, "the client of exchange %d got %d, its %s says %d", v.Seq, c.Status, who, named)
				}
			}
			if s := v.server(); s != nil && d.traced.whole() {
				say("server span", s.Code)
			}
			for _, j := range d.logs {
				if l := j.line(); l != nil {
					say(j.name, l.Status)
				}
			}
		},
	}
}

const clientLeft = 499

// eitherSignal asks for traces or an access log.
func eitherSignal(d *desk) []string {
	if d.traced.whole() || d.logged() {
		return nil
	}
	return []string{"whole traces or a whole access log"}
}

// logged reports whether an access log is whole.
func (d *desk) logged() bool {
	return slices.ContainsFunc(d.logs, func(j *journal) bool { return j.whole() })
}

func good(code int) bool { return code >= http.StatusOK && code < http.StatusBadRequest }
