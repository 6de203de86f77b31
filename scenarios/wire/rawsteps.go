package wire

import (
	"context"

	"gauntlet/fixtures/exchange"
)

// writer gives the exchange that raw bytes written now belong to, a new one if
// need be. First is what will be written first.
func (p *player) writer(as, first string) *open {
	if x, c := p.last, p.http1(); x != nil && (c == nil || x.rec.Conn == 0 || c.takes(x.Exchange)) {
		return x
	}
	x := p.begin(Request{}, as)
	x.makeRaw(first)
	p.last = x
	return x
}

// raw writes bytes of the current exchange.
func (p *player) raw(ctx context.Context, as string, b []byte, generated bool) {
	x := p.writer(as, string(b))
	switch {
	case x.refused != nil:
		return
	case x.rec.Conn == 0:
		p.start(ctx, x, func(ctx context.Context, c carrier) bool { return c.(*Conn).WriteRaw(ctx, x.Exchange, b, generated) })
		return
	}
	ctx, cancel := p.within(ctx, x)
	defer cancel()
	p.http1().WriteRaw(ctx, x.Exchange, b, generated)
}

// pattern gives the next n bytes of the generated request body.
func (p *player) pattern(x *open, n int64) []byte {
	b := make([]byte, n)
	var off int64
	if x.Exchange.raw != nil {
		off = x.Exchange.raw.off
		x.Exchange.raw.off += n
	}
	exchange.Fill(x.id, exchange.Request, off, b)
	return b
}
