package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/script"
)

// A player performs the steps of one client on one connection after another.
type player struct {
	*run
	client *Client
	group  uint16
	label  string
	rng    *rand.Rand

	conn    carrier // takes new exchanges; nil before the first
	retired []*Mux  // take none, and still owe answers
	pending []*open // begun, and not received to their end, oldest first
	last    *open
	begun   []*open // every exchange, where answers are to be told
	over    bool    // the peer announced or did the close after an answer
	renewed bool    // the target showed another certificate than at first
	jar     jar     // of a client that keeps cookies
}

// open is an exchange under way.
type open struct {
	*Exchange
	on      carrier      // nil when none was ever made for it
	refused *book.Client // its record when the connection was never made
	as      string       // its name
	taken   int          // payload bytes that read steps have taken
	interim uint16       // 1xx answers that receive steps have seen
}

func (p *player) play(ctx context.Context) {
	steps := script.Flatten(p.client.Do)
	for round := 1; ctx.Err() == nil; round++ {
		for i := range steps {
			if ctx.Err() != nil {
				break
			}
			p.step(ctx, &steps[i])
		}
		if p.enough(round) {
			break
		}
		p.pending = slices.DeleteFunc(p.pending, p.ended)
	}
	p.leave(ctx)
}

// enough reports whether the loop, if there is one, ends after so many rounds.
func (p *player) enough(round int) bool {
	l := p.client.Loop
	if l == nil {
		return true
	}
	if l.Until == "renewed" {
		if !p.renewed && round >= l.Times {
			p.mismatch(Mismatch{Client: p.label, Step: "loop", Want: "another certificate", Got: fmt.Sprintf("the same one in %d rounds", round)})
		}
		return p.renewed || round >= l.Times
	}
	if l.Times > 0 && round >= l.Times {
		return true
	}
	return l.Until != "" && (p.over || p.conn != nil && !p.conn.Reusable())
}

// ended reports whether an exchange that the last round left behind is over.
func (p *player) ended(x *open) bool {
	return x.on == nil || x.on.common().over(x.Exchange)
}

// leave ends the client. A tunnel is left in order: FIN, and then the peer's.
func (p *player) leave(ctx context.Context) {
	if c, x := p.http1(), p.last; x != nil && c != nil && c.tunnelled(x.Exchange) && c.CloseWrite(true) == nil {
		ctx, cancel := p.within(ctx, x)
		defer cancel()
		c.Await(ctx, x.Exchange)
	}
	p.hangUp()
}

// http1 gives the connection for what only HTTP/1 can do, nil when it is none.
func (p *player) http1() *Conn {
	c, _ := p.conn.(*Conn)
	return c
}

// http2 gives the connection for what only HTTP/2 can do, nil when it is none.
func (p *player) http2() *Mux {
	c, _ := p.conn.(*Mux)
	return c
}

// hangUp closes the connections, which hands over every record.
func (p *player) hangUp() {
	if p.conn != nil {
		p.conn.Close()
	}
	p.drop()
}

// drop forgets the connection, closes those before it and forgets what was on
// them.
func (p *player) drop() {
	for _, c := range p.retired {
		c.Close()
	}
	p.conn, p.retired, p.pending, p.last = nil, nil, nil, nil
}

// retire puts a connection aside that takes no further exchange. One of HTTP/2
// may still answer those it has; any other is closed.
func (p *player) retire() {
	m := p.http2()
	if m == nil {
		p.hangUp()
		return
	}
	p.conn = nil
	p.retired = slices.DeleteFunc(append(p.retired, m), func(m *Mux) bool {
		idle := m.idle()
		if idle {
			m.Close()
		}
		return idle
	})
}

// begin makes an exchange.
func (p *player) begin(req Request, as string) *open {
	x := &open{Exchange: NewExchange(p.cfg.IDs.Next(), req, p.group, time.Now()), as: as}
	x.keep = true
	p.name(as, x.id.Seq)
	if p.cfg.Witness {
		p.begun = append(p.begun, x)
	}
	return x
}

// within bounds one step of an exchange. The deadline counts anew for each, so
// that the time a script lets pass by itself is never the target's.
func (p *player) within(ctx context.Context, x *open) (context.Context, context.CancelFunc) {
	deadline := p.cfg.Deadline
	if d := p.client.Deadline.D(); d > 0 {
		deadline = d
	}
	return context.WithTimeoutCause(ctx, deadline+x.req.Pacing(), ErrDeadline)
}

// look notes which certificate a new connection shows.
func (p *player) look(c carrier) {
	t, ok := c.common().nc.(*tls.Conn)
	if !ok {
		return
	}
	p.renewed = p.renewed || !bytes.Equal(p.cfg.Shown, t.ConnectionState().PeerCertificates[0].Raw)
}

// start begins x by way of do, which reports false when the connection takes
// no further exchange; then x begins on a new one.
func (p *player) start(ctx context.Context, x *open, do func(context.Context, carrier) bool) {
	ctx, cancel := p.within(ctx, x)
	defer cancel()
	if p.conn != nil && !do(ctx, p.conn) {
		p.retire()
	}
	if x.rec.Conn == 0 {
		var rec *book.Client
		if p.conn, rec = p.dial(ctx, x.Exchange); p.conn == nil {
			x.refused, p.over = rec, true
		} else {
			p.look(p.conn)
			do(ctx, p.conn)
		}
	}
	x.on = p.conn
	p.pending, p.last = append(p.pending, x), x
}
