package relay

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"gauntlet/chaos"
)

// A Window says when a fault acts on the link, on which connections and which
// way. It acts on connections that are open already as on new ones.
type Window struct {
	Number      uint16        // the scenario's number of the window, from 1
	Name        string        // for messages; may be empty
	From, Until time.Duration // since Begin; Until 0 is the end of the run
	Fault       chaos.Fault
	Share       float64         // of the connections, or of the answers by a fault on answers, in (0, 1]; 0 means all
	Direction   chaos.Direction // "" leaves it to the fault: both, unless it leans
}

// window is a Window with its defaults filled in.
type window struct {
	Window
	connects chaos.Connects // 0 for a fault on bytes
	answers  bool           // it acts on answers
	drawn    atomic.Uint32  // answers that it could have acted on
	since    time.Time      // when it opened, for receipts of the link
	drops    uint32         // connects dropped before it opened
}

// windows checks a Config's windows.
func windows(config Config) ([]*window, error) {
	seen := map[uint16]bool{}
	var all []*window
	for i, w := range config.Windows {
		bad := func(format string, args ...any) ([]*window, error) {
			return nil, fmt.Errorf("%w: windows[%d] %s: %s", ErrConfig, i, w.Name, fmt.Sprintf(format, args...))
		}
		v := &window{Window: w, answers: chaos.OnAnswers(w.Fault)}
		if c, ok := w.Fault.(chaos.ConnectFault); ok {
			v.connects = c.Connects()
		}
		switch {
		case w.Fault == nil:
			return bad("found no fault; allowed: one")
		case w.Number == 0 || seen[w.Number]:
			return bad("found number %d; allowed: one from 1 that no other window of the link has", w.Number)
		case w.From < 0 || w.Until < 0 || w.Until != 0 && w.Until <= w.From:
			return bad("found from %s until %s; allowed: a beginning before its end", w.From, w.Until)
		case !(w.Share >= 0 && w.Share <= 1):
			return bad("found share %v; allowed: above 0 to 1", w.Share)
		case v.connects != 0 && w.Share != 0 && w.Share != 1:
			return bad("found share %v; allowed: all, since %s acts on the link as a whole", w.Share, w.Fault)
		case v.connects != 0 && w.Direction != "":
			return bad("found direction %s; allowed: none, since %s acts on connects", w.Direction, w.Fault)
		}
		if v.answers && w.Direction != "" && w.Direction != chaos.Down {
			return bad("found direction %s; allowed: down or none, since %s acts on answers", w.Direction, w.Fault)
		}
		if err := v.lean(); err != nil {
			return bad("%s", err)
		}
		for _, o := range all {
			if o.connects != 0 && v.connects != 0 && v.From < o.end() && o.From < v.end() {
				return bad("found %s while %s is open; allowed: one fault on connects at a time", v.Fault, o.Fault)
			}
		}
		seen[w.Number] = true
		all = append(all, v)
	}
	return all, nil
}

// lean settles the direction.
func (w *window) lean() error {
	leaning, leans := w.Fault.(chaos.Leaning)
	switch {
	case w.Direction == chaos.Both && leans:
		return fmt.Errorf("found direction both for %s; allowed: up, down", w.Fault)
	case w.Direction == "" && leans:
		w.Direction = leaning.Leans()
	case w.Direction == "":
		w.Direction = chaos.Both
	}
	return w.Direction.Check()
}

func (w *window) end() time.Duration {
	if w.Until == 0 {
		return math.MaxInt64
	}
	return w.Until
}

// covers draws whether the window acts on a connection. The draws of successive
// connections are a Weyl sequence of the golden ratio from a seeded start: any n
// in a row hold share·n of them, give or take a few, however small n is.
func (w *window) covers(config Config, number uint32) bool {
	if w.Share == 0 || w.Share == 1 {
		return true
	}
	x := w.seed(config) + uint64(number)*0x9E3779B97F4A7C15
	return float64(x>>11)/(1<<53) < w.Share
}

// draws is covers for the next answer that a fault on answers can act on, of
// whatever connection.
func (w *window) draws(config Config) bool { return w.covers(config, w.drawn.Add(1)) }

// source is the chance of one direction of one connection.
func (w *window) source(config Config, number uint32, up bool) *rand.Rand {
	n := uint64(number) << 1
	if up {
		n++
	}
	return rand.New(rand.NewPCG(w.seed(config), n))
}

// seed mixes the run's seed with what tells the window from all others. FNV
// leaves what comes last in the low bits only, hence the steps after it.
func (w *window) seed(config Config) uint64 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], config.Seed)
	binary.LittleEndian.PutUint16(b[8:], config.Link)
	binary.LittleEndian.PutUint16(b[10:], w.Number)
	h := fnv.New64a()
	_, _ = h.Write(b[:])
	x := h.Sum64()
	for range 3 {
		x = (x ^ x>>32) * 0xD6E8FEB86659FD93 // odd, so nothing is lost
	}
	return x ^ x>>32
}
