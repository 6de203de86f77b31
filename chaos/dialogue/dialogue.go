// Package dialogue follows the requests and answers of one HTTP/1 connection as
// their bytes come by, and changes answers as faults say. It is fed bytes and
// gives bytes, reads no clock and owns no connection: chaos/relay puts it into a
// link. What it cannot read, and all that comes behind, it leaves as it is.
package dialogue

import (
	"time"

	"gauntlet/chaos"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/http1"
)

const (
	mostWaiting = 256       // requests without an answer on one connection; beyond it nothing is changed any more
	mostHead    = 256 << 10 // bytes of a head; likewise
)

// A Decider says what becomes of the answers and hears what was sent.
type Decider interface {
	// Watching reports whether Spoil may change an answer that begins now.
	Watching() bool
	// Spoil gives the change and the window that makes it, 0 for none.
	Spoil(chaos.Answer) (chaos.Change, uint16)
	// Reply gives what is sent in the backend's stead, and the window, 0 for none.
	Reply(method string) ([]byte, uint16)
	// Altered hears what the near side was sent in the place of an answer. Link,
	// connection and ports are not filled in.
	Altered(*book.Altered)
}

// A Part is bytes for the near side, in order.
type Part struct {
	Data   []byte        // valid until the next call
	Window uint16        // the window that acted on them, 0 for none
	Delay  time.Duration // counted from now, not from the part before
	Close  bool          // both peers get a FIN behind them
}

// Dialogue is one connection. Its methods are called one at a time.
type Dialogue struct {
	decide  Decider
	up      *http1.Parser
	waiting []request
	answers uint32
	blind   bool // something came that cannot be followed
	now     *answer
}

type request struct {
	method string
	id     exchange.ID
}

// New returns a Dialogue that begins with its connection.
func New(d Decider) *Dialogue {
	up := http1.NewRequests()
	up.MaxHead = mostHead
	return &Dialogue{decide: d, up: up}
}

// Up takes bytes of the near side and gives the answer that a fault has for the
// request among them, if there is one: then nothing more may pass upwards, and
// both peers get a FIN.
func (d *Dialogue) Up(p []byte) (reply []byte, window uint16) {
	for len(p) > 0 && !d.blind {
		had := d.up.HeadDone()
		n, err := d.up.Feed(p)
		if p = p[n:]; err != nil || len(d.waiting) == mostWaiting {
			d.blind = true
			return nil, 0
		}
		if !had && d.up.HeadDone() {
			h := d.up.Head()
			id, _ := exchange.Parse(h.Get(exchange.Header)) // whoever sends none has none
			r := request{method: h.Method, id: id}
			d.waiting = append(d.waiting, r)
			if d.now == nil && len(d.waiting) == 1 {
				if reply, window = d.decide.Reply(r.method); window != 0 {
					d.replied(r, reply, window)
					return reply, window
				}
			}
		}
		if d.up.State() == http1.Done {
			d.up.Reset("")
		}
	}
	return nil, 0
}

// replied notes an answer that no backend gave.
func (d *Dialogue) replied(r request, reply []byte, window uint16) {
	a := newAnswer(r)
	a.window, a.acted = window, true
	a.note(reply)
	d.blind = true
	d.decide.Altered(a.altered(0, false))
}

// Down takes bytes of the far side and gives what the near side gets.
func (d *Dialogue) Down(p []byte) []Part {
	var out []Part
	for len(p) > 0 {
		if d.now == nil && !d.begin() {
			d.blind = true
		}
		if d.blind {
			return append(out, Part{Data: p})
		}
		n := d.now.take(d, p, &out)
		p = p[n:]
	}
	return out
}

// begin makes ready for the answer to the first request that has none.
func (d *Dialogue) begin() bool {
	if d.blind || len(d.waiting) == 0 {
		return false
	}
	d.now = newAnswer(d.waiting[0])
	d.now.watched = d.decide.Watching()
	d.waiting = d.waiting[1:]
	d.answers++
	return true
}

// Busy gives the window that acts on the answer under way, 0 for none.
func (d *Dialogue) Busy() uint16 {
	if d.now == nil {
		return 0
	}
	return d.now.window
}

// End says that the far side has ended, or the connection, and gives what was
// held of a head that never came whole. A second call gives nothing.
func (d *Dialogue) End() []Part {
	if d.now == nil {
		return nil
	}
	held := d.now.raw
	d.now.raw = nil
	d.settle(true)
	if len(held) == 0 {
		return nil
	}
	return []Part{{Data: held}}
}

// settle ends the answer under way; eof says that its connection ended with it.
func (d *Dialogue) settle(eof bool) {
	a := d.now
	d.now = nil
	if a.acted {
		d.decide.Altered(a.altered(d.answers, eof))
	}
}
