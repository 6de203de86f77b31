package audit

import "encoding/hex"

// serverSpan: each exchange has one server span under its own trace id. One that
// the target provably took must have it; one that it may never have seen or
// could not parse may have none; none may have two. A target behind which another
// hop exports spans of its own is not accused of those: their parent is a span of
// the same trace. Of a sampling target only the last is asked.
func serverSpan() *Check {
	return &Check{
		Name: "server-span", That: "telemetry: each exchange has one server span under its own trace id",
		Because: "who looks for a request by its trace must find it, once", Needs: []string{traces},
		each: func(d *desk, v *view) {
			switch n := len(v.servers); {
			case n > 1:
				d.say(v.Seq, "exchange %d has %d server spans", v.Seq, n)
			case n == 1 && v.servers[0].Parent != v.caller:
				d.say(v.Seq, "the server span of exchange %d names %s as its parent, the client's span was %s", v.Seq, short(v.servers[0].Parent), short(v.caller))
			case n == 0 && !d.Case.Target.Says.Sampled && d.taken(v) && d.settled(v):
				d.say(v.Seq, "exchange %d has no server span", v.Seq)
			}
		},
	}
}

func short(id [8]byte) string { return hex.EncodeToString(id[:]) }
