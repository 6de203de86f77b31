package engine

import (
	"fmt"
	"slices"
	"time"

	"gauntlet/fixtures/script"
	"gauntlet/scenarios"
)

// Bounds are what may be sent to a machine that is not this one. The zero value
// bounds nothing.
type Bounds struct {
	Rate float64 // most requests of loads in any second; 0 is any number
	Safe bool    // only methods that change nothing, and only whole requests
}

// exceeded names what a case would send beyond the bounds.
func (b Bounds) exceeded(c *scenarios.Case) (lacks []string) {
	if b.Rate > 0 {
		if most := busiest(c); float64(most) > b.Rate {
			lacks = append(lacks, fmt.Sprintf("permission for %d requests in a second (at most %v to a host that is not on loopback; --max-rate)", most, b.Rate))
		}
	}
	if b.Safe && unsafe(c) {
		lacks = append(lacks, "permission for requests that may change something or are malformed (--allow-unsafe)")
	}
	return lacks
}

// busiest is the largest number of requests that loads begin within a second.
func busiest(c *scenarios.Case) (most int) {
	var starts []time.Duration
	for i := range c.Load {
		plan, err := c.Load[i].Plan()
		if err != nil {
			continue // found when it is run
		}
		for _, at := range plan {
			starts = append(starts, c.Load[i].From.D()+at)
		}
	}
	slices.Sort(starts)
	first := 0
	for i, at := range starts {
		for at-starts[first] >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// unsafe reports whether a case sends anything but whole requests of safe methods
// (RFC 9110 §9.2.1).
func unsafe(c *scenarios.Case) bool {
	for i := range c.Clients {
		for _, s := range script.Flatten(c.Clients[i].Do) {
			raw := s.Write != nil || s.Chunk != nil || s.LastChunk != nil
			if raw || s.Send != nil && (!safe(s.Send.Method) || s.Send.Tail != "" || s.Send.Cut != nil) {
				return true
			}
		}
	}
	for i := range c.Load {
		l := &c.Load[i]
		if l.Request != nil && (!safe(l.Request.Method) || l.Request.Tail != "" || l.Request.Cut != nil) {
			return true
		}
		if l.Mix == nil {
			continue
		}
		for _, o := range l.Mix.Method {
			if !safe(o.Value) {
				return true
			}
		}
	}
	return c.Family() == "headers-smuggling"
}

func safe(method string) bool {
	return slices.Contains([]string{"", "GET", "HEAD", "OPTIONS", "TRACE"}, method)
}
