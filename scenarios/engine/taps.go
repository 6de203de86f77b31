package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"gauntlet/fixtures/backend"
	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// A Tap is a real backend and where the target finds the tap before it.
type Tap struct {
	Listen string // host:port; "" takes a free port on loopback
	To     string // host:port of the backend
}

// tier says whose books there will be.
func (cfg Config) tier() evidence.Tier {
	switch {
	case len(cfg.Taps) > 0:
		return evidence.ClientTap
	case cfg.Blind:
		return evidence.ClientOnly
	}
	return evidence.ClientBackend
}

// backends is how many backends keep a book.
func (cfg Config) backends(c *scenarios.Case) int {
	switch cfg.tier() {
	case evidence.ClientTap:
		return len(cfg.Taps)
	case evidence.ClientOnly:
		return 0
	case evidence.ClientBackend:
	}
	return c.BackendCount()
}

// given gives the settings that the case wants. How many real backends there are
// is not the scenario's to set; see admits.
func (cfg Config) given(c *scenarios.Case) map[string]string {
	given := c.Given()
	if cfg.tier() != evidence.ClientBackend {
		delete(given, "upstream.endpoints")
	}
	return given
}

// admits says what keeps a case from being run against backends that are not
// ours, or against somebody else's machine; see Bounds.
func (cfg Config) admits(c *scenarios.Case) error {
	lacks := cfg.Bounds.exceeded(c)
	if cfg.Backend != nil && !cfg.Returns && c.StartsAgain(0) {
		lacks = append(lacks, "backend that can be started again at its address")
	}
	if cfg.tier() != evidence.ClientBackend {
		if c.Scripted() {
			lacks = append(lacks, "scripted backend")
		}
		if n := c.BackendCount(); !cfg.Blind && n > 1 && n != len(cfg.Taps) {
			lacks = append(lacks, fmt.Sprintf("setting upstream.endpoints = %d (there are %d)", n, len(cfg.Taps)))
		}
		if cfg.Blind && slices.ContainsFunc(c.Faults, func(f scenarios.Fault) bool { n, _ := f.LinkNumber(); return n > 0 }) {
			lacks = append(lacks, "link to a backend")
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	return &targets.Unsupported{Target: cfg.Target.Name(), Lacks: lacks}
}

// startTaps gives the addresses at which the target finds the real backends.
func (s *stage) startTaps(ctx context.Context) ([]string, error) {
	var endpoints []string
	for i, t := range s.engine.cfg.Taps {
		n := i + 1
		at := t.Listen
		if at == "" {
			at = "127.0.0.1:0"
		}
		listen := at
		if len(s.windows(uint16(n))) > 0 {
			listen = "127.0.0.1:0"
		}
		// Like scripted backends, it outlives the clients of a run that is broken off.
		b, err := backend.StartTap(context.WithoutCancel(ctx), backend.TapConfig{
			Number: n, Listen: listen, To: t.To, Run: s.facts.Run, Book: s.engine.cfg.Dir.BackendBook(s.c.ref, n),
		})
		if err != nil {
			return nil, err
		}
		s.backends = append(s.backends, b)
		endpoint, err := s.link(ctx, uint16(n), at, b.Addr())
		if err != nil {
			return nil, err
		}
		endpoints = append(endpoints, endpoint)
	}
	return endpoints, nil
}

// account notes what a tap could not put into its book.
func (s *stage) account(n int, b backend.Server) {
	t, ok := b.(*backend.Tap)
	if !ok {
		return
	}
	a := t.Account()
	for _, what := range slices.Sorted(maps.Keys(a.Unread)) {
		s.facts.Unsupported = append(s.facts.Unsupported, fmt.Sprintf("tap that reads %s (%d connections to backend %d)", what, a.Unread[what], n))
	}
	if a.Refused > 0 {
		s.facts.Notes = append(s.facts.Notes, "tap "+strconv.Itoa(n)+" let in "+strconv.FormatUint(a.Refused, 10)+
			" connections before it found that its backend refused; the target saw them reset, not refused")
	}
	if a.Anonymous > backend.MaxAnonymous {
		s.facts.Notes = append(s.facts.Notes, fmt.Sprintf("tap %d saw %d requests of others, of which the book holds %d", n, a.Anonymous, backend.MaxAnonymous))
	}
}
