// Package chaos holds the faults that can act on a link, one file each, and
// their spelling in scenario files. A fault only decides: it reads no clock,
// waits for nothing and owns no goroutine, so that its decisions follow from the
// seed alone and can be tested without time. Carrying them out on real
// connections is chaos/relay's business; processes are chaos/process's.
package chaos

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/invopop/jsonschema"
)

// A Fault describes one perturbation of a link. It is a value and holds no
// state: what one direction of one connection needs lives in the Stream that
// Begin returns.
type Fault interface {
	fmt.Stringer // as reports show it: "latency(20ms±5ms)"

	// Begin starts the fault on one direction of one connection. The source
	// of chance is the direction's own, seeded from the run; Begin and the
	// Stream must take every random decision from it.
	Begin(*rand.Rand) Stream
}

// A Stream decides, step by step, what becomes of the bytes of one direction
// of one connection while a window of its fault is open.
type Stream interface {
	// Next is given the bytes that come now, at least one, and decides about
	// the first of them. It is also asked with none, when the window opens and
	// when the end of the direction comes by: then only the step's times and
	// End matter. It must not keep or change the bytes.
	Next(p []byte) Step
}

// A Step is what becomes of the next bytes of a direction.
type Step struct {
	Take  int           // how many of the bytes offered the step is about; at least 1 when some were offered
	Delay time.Duration // how long they take to pass; those behind them may pass meanwhile but never overtake
	Busy  time.Duration // how long the line takes no further bytes, counted from when these began to pass
	End   End           // what happens behind them
	Last  []byte        // last words to the receiver, between them and the End; nothing where there is none
}

// Forever is the Delay of bytes that pass only when the window closes.
const Forever time.Duration = math.MaxInt64

// End says how a fault ends a direction or its connection.
type End uint8

// The ends.
const (
	EndNone      End = iota // nothing ends
	EndHalfClose            // FIN towards the receiver; the other direction goes on
	EndCut                  // FIN towards both peers
	EndReset                // RST towards both peers
	EndUntold               // nothing towards anybody: the receiver goes on waiting
)

// A ConnectFault acts on connects to a link as a whole instead of on the bytes of
// its connections.
type ConnectFault interface {
	Fault
	Connects() Connects
}

// Connects says what becomes of attempts to connect.
type Connects uint8

// What can become of a connect.
const (
	Refused    Connects = iota + 1 // answered by RST: ECONNREFUSED
	Unanswered                     // the SYN vanishes
)

// A Leaning fault acts in one direction unless its window names another.
type Leaning interface {
	Fault
	Leans() Direction
}

// Direction names one way of a link: up is from the side that connected.
type Direction string

// The directions. The empty one leaves it to the fault.
const (
	Up   Direction = "up"
	Down Direction = "down"
	Both Direction = "both"
)

// Check reports a direction that there is not; the empty one is none either.
func (d Direction) Check() error {
	switch d {
	case Up, Down, Both:
		return nil
	}
	return fmt.Errorf("found direction %q; allowed: up, down, both", string(d))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Direction) UnmarshalText(b []byte) error {
	*d = Direction(b)
	return d.Check()
}

// JSONSchema lists the directions.
func (Direction) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Enum: []any{Up, Down, Both}, Description: "One way of a link: up is from the side that connected."}
}

// through passes everything untouched.
type through struct{}

func (through) Next(p []byte) Step { return Step{Take: len(p)} }
