// Package load offers requests to a target at a rate: it plans when each is to
// start, lets Vegeta's workers start them, and sends each through the wire
// client, so that a late start is counted as the target's latency and nothing
// is repeated or left out in silence. It holds the YAML types of a scenario's
// load and mix; what the answers amount to is the ledger's and slo's business.
package load

import (
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/wire"
)

// DefaultMaxWorkers bounds how many requests of a load are under way at once
// when nobody says otherwise.
const DefaultMaxWorkers = 1024

// A Load is requests offered for a time. Rate alone is constant; at most one of
// Ramp, Step, Burst and Sine shapes it.
type Load struct {
	Name       string         `json:"name,omitempty"`
	From       units.Duration `json:"from,omitempty"` // when it begins, from the case's begin
	For        units.Duration `json:"for"`            // how long it offers requests
	Rate       units.Rate     `json:"rate,omitempty"` // may be left out beside burst
	Ramp       *Ramp          `json:"ramp,omitempty"`
	Step       *Step          `json:"step,omitempty"`
	Burst      *Burst         `json:"burst,omitempty"`
	Sine       *Sine          `json:"sine,omitempty"`
	Request    *script.Send   `json:"request,omitempty"` // the same every time; default GET /
	Mix        *Mix           `json:"mix,omitempty"`     // or drawn by the run's seed
	Abandon    *Abandon       `json:"abandon,omitempty"`
	MaxWorkers int            `json:"max_workers,omitempty"` // requests under way at once; default DefaultMaxWorkers
	Deadline   units.Duration `json:"deadline,omitempty"`    // of each exchange; default wire.DefaultDeadline
	KeepAlive  *bool          `json:"keep_alive,omitempty"`  // default true; false uses a connection once
	TLS        *wire.TLS      `json:"tls,omitempty"`         // default: in the clear
}

// A Ramp lets the rate grow or fall evenly from Rate to To.
type Ramp struct {
	To units.Rate `json:"to"`
}

// A Step raises the rate by By after every Every.
type Step struct {
	By    units.Rate     `json:"by"`
	Every units.Duration `json:"every"`
}

// A Burst offers Size requests at once every Every, the first at the begin, on
// top of Rate if there is one.
type Burst struct {
	Size  int            `json:"size"`
	Every units.Duration `json:"every"`
}

// A Sine swings the rate by Amplitude around Rate, rising first.
type Sine struct {
	Amplitude units.Rate     `json:"amplitude"`
	Period    units.Duration `json:"period"`
}

// An Abandon makes a share of the clients hang up before they have the whole
// answer. In YAML a number is the share alone.
type Abandon struct {
	Share float64       `json:"share"`           // of the exchanges, 0 to 1
	After *script.Pause `json:"after,omitempty"` // from the start; default drawn from 0 to 50ms
}

// A Mix draws every request by the run's seed. What it leaves out is plain:
// GET, /, no body, a small answer.
type Mix struct {
	Method  Choice[string] `json:"method,omitempty"`
	Path    Choice[string] `json:"path,omitempty"`   // the word legal draws from LegalPaths
	Body    *MixBody       `json:"body,omitempty"`   // of POST, PUT and PATCH
	Fields  *MixFields     `json:"fields,omitempty"` // of every request
	Answer  *MixAnswer     `json:"answer,omitempty"`
	Abandon *Abandon       `json:"abandon,omitempty"`
}

// MixBody is what request bodies are drawn from.
type MixBody struct {
	Size    Choice[units.Size] `json:"size,omitempty"`
	Chunked float64            `json:"chunked,omitempty"` // share
	Pace    Choice[units.Pace] `json:"pace,omitempty"`
	// Deletes is the share of the requests of DELETE that carry a body, too
	// (RFC 9110 §9.3.5).
	Deletes  float64 `json:"deletes,omitempty"`
	Trailers float64 `json:"trailers,omitempty"` // share of the chunked ones
}

// MixFields is what header fields are drawn from, with all the characters that
// a value may have.
type MixFields struct {
	Count   Choice[int]        `json:"count,omitempty"`   // how many, of up to 40 characters
	Long    Choice[units.Size] `json:"long,omitempty"`    // the length of one more
	Cookies Choice[int]        `json:"cookies,omitempty"` // how many in Cookie
}

// MixAnswer is what a backend that responds as asked is asked for.
type MixAnswer struct {
	Status     Choice[int]        `json:"status,omitempty"`
	Size       Choice[units.Size] `json:"size,omitempty"`
	Chunked    float64            `json:"chunked,omitempty"`  // share
	Trailers   float64            `json:"trailers,omitempty"` // share of the chunked ones
	Cookies    Choice[int]        `json:"cookies,omitempty"`
	Fields     Choice[int]        `json:"fields,omitempty"`      // how many, of up to 40 characters
	Long       Choice[units.Size] `json:"long,omitempty"`        // the length of one more
	EarlyHints float64            `json:"early_hints,omitempty"` // share
	Pace       Choice[units.Pace] `json:"pace,omitempty"`
	After      *script.Pause      `json:"after,omitempty"`
}

func (l *Load) maxWorkers() int {
	if l.MaxWorkers > 0 {
		return l.MaxWorkers
	}
	return DefaultMaxWorkers
}

func (l *Load) keepAlive() bool { return l.KeepAlive == nil || *l.KeepAlive }
