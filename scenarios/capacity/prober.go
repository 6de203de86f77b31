package capacity

import (
	"context"
	"time"

	"gauntlet/reports"
	"gauntlet/scenarios/usage"
)

// A Prober offers a rate to the target, or past it, and says what came of it.
type Prober interface {
	Probe(context.Context, Offer) (*Measured, error)
}

// An Offer is a rate to try.
type Offer struct {
	N         int // of the probe
	Rate      float64
	For       time.Duration // of what counts
	Warm      time.Duration // before that, at the same rate
	Direct    bool          // to the backend, with no target between
	Flood     bool          // as fast as it goes: the rate is only a number of requests
	Objective Objective
}

// The parties whose use of the machine is measured.
const (
	Target    = "target"
	Generator = "generator"
	Backend   = "backend"
)

// Measured is what came of an offer.
type Measured struct {
	Planned, Sent, Late, Starved int // see load.Result; of the whole offer, the warm-up included
	Samples                      []Sample
	Took                         time.Duration // of offering, when it was cut short; else 0
	Ledger                       reports.Ledger
	Seen                         usage.Seen
	Limits                       usage.Limits       // of the target
	Metrics                      map[string]float64 // the target's own, the most of each
	Settings                     map[string]string  // effective in the target
	Troubles                     []string           // of the harness: nothing can be said then
	Crashed                      bool               // the target ended though nobody had asked it to
	Blind                        bool               // nobody knows the backends' books: the client's word is all there is
	Evidence                     string
}

// A Sample is one request. Times count from the begin of the offer.
type Sample struct {
	At   time.Duration // when it was to start
	From time.Duration // when it did
	End  time.Duration
	Good bool // a whole answer below 500
}

// stopped reports whether the offer was cut short as hopeless.
func (m *Measured) stopped() bool { return m.Took > 0 }
