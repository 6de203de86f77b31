package load

import (
	"sync"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/wire"
)

// MaxMismatches bounds what Result.Mismatches keeps.
const MaxMismatches = 1000

// seals collects what came of the seals on answers.
type seals struct {
	mu     sync.Mutex
	sealed uint64
	found  []wire.Mismatch
}

// unseal holds an answer against its seal.
func (d *driver) unseal(c *wire.Conn, x *wire.Exchange, rec book.Client) {
	differs, sealed := c.Unsealed(x, rec)
	if !sealed {
		return // the target's own answer, or one of a backend that seals nothing
	}
	d.seals.mu.Lock()
	defer d.seals.mu.Unlock()
	d.seals.sealed++
	for _, is := range differs {
		if len(d.seals.found) < MaxMismatches {
			d.seals.found = append(d.seals.found, wire.Mismatch{
				Client: d.cfg.Load.Name, Exchange: x.ID().Seq, Step: "sealed " + is.What, Want: is.Want, Got: is.Got,
			})
		}
	}
}
