package scenarios

import (
	"gauntlet/fixtures/script"
)

// Scripted reports whether the case asks something of its backends that only a
// scripted one does, or of their answers: on real backends it would prove nothing,
// or accuse for nothing. A rule that reads each request and answers it in the
// usual way is what any backend does.
func (c *Case) Scripted() bool {
	for i := range c.Backends {
		b := &c.Backends[i]
		if b.Protocol == script.H2 || b.TLS != nil || b.Settings != nil {
			return true
		}
		for k := range b.Script {
			if !usual(&b.Script[k]) {
				return true
			}
		}
	}
	for i := range c.Actions {
		if c.Actions[i].OnBackend() {
			return true
		}
	}
	for i := range c.Clients {
		for _, s := range script.Flatten(c.Clients[i].Do) {
			if asksOfBackend(&s) {
				return true
			}
		}
	}
	return false
}

// usual reports whether a rule reads each request whole and answers it.
func usual(r *script.Rule) bool {
	if r.When != "" || len(r.Do) != 2 || r.Do[0].Read == nil {
		return false
	}
	if read := r.Do[0].Read; read.Until != script.UntilRequest || read.Target != "" || len(read.Headers) > 0 {
		return false
	}
	return r.Do[1].AsAsked || r.Do[1].Respond != nil && isBare(r.Do[1].Respond)
}

func isBare(r *script.Respond) bool {
	return (r.Status == 0 || r.Status == 200) && len(r.Headers) == 0 && r.Length == nil && len(r.Trailers) == 0 && r.After == 0 && len(r.Interim) == 0 && r.Ends() && r.Echoes() && !r.Close
}

// asksOfBackend reports whether a client's step demands something of an answer, or
// writes bytes of its own.
func asksOfBackend(s *script.Step) bool {
	switch {
	case s.Receive != nil:
		r := s.Receive
		return r.Status != 0 || len(r.Headers) > 0 || len(r.Trailers) > 0 || r.Until != "" && r.Until != script.UntilEnd
	case s.Send != nil:
		return s.Send.Ask != nil || s.Send.Tail != "" || s.Send.Cut != nil
	}
	return s.Read != nil || s.Write != nil || s.Chunk != nil || s.LastChunk != nil
}
