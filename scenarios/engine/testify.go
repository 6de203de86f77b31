package engine

import (
	"fmt"

	"gauntlet/fixtures/backend"
	"gauntlet/scenarios/evidence"
)

// testify takes over what backend n was asked, for a scenario with a table of
// checks. A backend that keeps nothing proves nothing.
func (s *stage) testify(n int, b backend.Server) error {
	if len(s.c.Checks) == 0 {
		return nil
	}
	w, ok := b.(backend.Witness)
	if !ok {
		return fmt.Errorf("backend %d does not tell what it was asked, and checks want to know", n)
	}
	for _, r := range w.Seen() {
		s.facts.Requests = append(s.facts.Requests, evidence.Request{
			Backend: r.Backend, Exchange: r.Seq, Method: r.Method, Target: r.Target, Version: r.Version, Fields: r.Fields,
			Body: r.Body, Bytes: r.Bytes, Trailers: r.Trailers, Whole: r.Whole, Bad: r.Bad,
		})
	}
	return nil
}
