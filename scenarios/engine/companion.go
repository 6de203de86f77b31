package engine

import (
	"context"

	"gauntlet/fixtures/book"
)

// A Companion goes along with the clients of every case, to look at the target
// and at what they record, and to end loads early. It is for runs of one case
// at a time.
type Companion interface {
	// Accompany is called when the clients are about to begin. Its context ends
	// when they have ended, and it is waited for.
	Accompany(context.Context, Subject)
	// Saw is called with each final record of a load, from several goroutines.
	Saw(book.Client)
	// Enough is closed when loads are to start nothing more.
	Enough() <-chan struct{}
}

// A Subject is what a Companion may look at.
type Subject struct {
	PIDs     func() ([]int, error) // of the target; nil for one that we do not start
	Metrics  func(context.Context) (map[string]float64, error)
	Address  string   // where clients connect
	Backends []string // where the target finds its backends
	Settings map[string]string
}

// nobodyBeside goes along with nobody.
type nobodyBeside struct{}

func (nobodyBeside) Accompany(context.Context, Subject) {}
func (nobodyBeside) Saw(book.Client)                    {}
func (nobodyBeside) Enough() <-chan struct{}            { return nil }

// subject is the stage as a companion sees it.
func (s *stage) subject() Subject {
	sub := Subject{Address: s.address, Backends: s.wants.Backends, Settings: s.facts.Settings, Metrics: func(ctx context.Context) (map[string]float64, error) {
		sample, err := s.target.sample(ctx)
		return sample.Metrics, err
	}}
	if s.target.proc != nil {
		sub.PIDs = s.target.proc.PIDs
	}
	return sub
}

// saw passes a client's record on to whoever looks at them.
func (s *stage) saw(c book.Client) {
	s.target.saw(c)
	s.engine.cfg.Companion.Saw(c)
}
