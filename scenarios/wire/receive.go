package wire

import (
	"context"
	"fmt"
	"slices"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/script"
)

// receive waits for the oldest exchange that has not been received, or for the
// one named.
func (p *player) receive(ctx context.Context, s *script.Step) {
	at := 0
	if s.Receive.Of != "" {
		at = slices.IndexFunc(p.pending, func(x *open) bool { return x.as == s.Receive.Of })
	}
	if at < 0 || at >= len(p.pending) {
		return
	}
	x := p.pending[at]
	var rec book.Client
	if x.refused != nil {
		rec = *x.refused
	} else {
		rec = p.await(ctx, x, s.Receive)
	}
	p.compare(x, s.Receive, rec)
	p.compareFields(x, s.Receive)
	if p.client.Cookies && x.on != nil {
		head, _ := x.on.common().fields(x.Exchange)
		p.jar.keep(head)
	}
	p.over = p.over || rec.Flags&book.CloseAnnounced != 0
	if u := s.Receive.Until; u != "" && u != script.UntilEnd && x.refused == nil {
		return // the rest of it is for the next receive
	}
	p.pending = slices.Delete(p.pending, at, at+1)
	if p.last == x && x.refused != nil {
		p.last = nil
	}
}

func (p *player) await(ctx context.Context, x *open, r *script.Receive) book.Client {
	ctx, cancel := p.within(ctx, x)
	defer cancel()
	if r.Timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, r.Timeout.D(), ErrDeadline)
		defer cancel()
	}
	l := x.on.common()
	_ = l.StartReading() // fails only on a connection that is closed
	reached := func() bool { return false }
	switch r.Until {
	case script.UntilHead:
		reached = func() bool { return x.answer.HeadDone() }
	case script.UntilFirstByte:
		reached = func() bool { return x.rec.FirstByte != 0 && (r.Status == 0 || x.answer.HeadDone()) }
	case script.UntilBytes:
		reached = func() bool { return x.check.Bytes() >= int64(r.Size) }
	case script.UntilInterim:
		x.interim++
		reached = func() bool { return x.rec.Interim >= x.interim || x.answer.HeadDone() }
	default: // the end, which await knows by itself
	}
	return l.await(ctx, x.Exchange, reached)
}

// compare notes an answer that is not the one asked for.
func (p *player) compare(x *open, r *script.Receive, rec book.Client) {
	status := int(rec.Status)
	if r.Until == script.UntilInterim {
		if rec.Interim < x.interim {
			p.differs(x, "receive", "a 1xx answer", found(rec))
			return
		}
		status = x.lastInterim()
	}
	if r.Status != 0 && r.Status != status {
		p.differs(x, "receive", fmt.Sprintf("status %d", r.Status), found(rec))
	}
}

func found(rec book.Client) string {
	if rec.Status == 0 {
		return "no answer: " + rec.End.String()
	}
	return fmt.Sprintf("status %d", rec.Status)
}

func (x *open) lastInterim() int {
	l := x.on.common()
	l.mu.Lock()
	defer l.mu.Unlock()
	return x.interims
}

func (p *player) differs(x *open, step, want, got string) {
	p.mismatch(Mismatch{Client: p.label, Exchange: x.id.Seq, Step: step, Want: want, Got: got})
}

// read waits for bytes of the current exchange's answer. A number of bytes, or
// a text, is taken from its payload: a body's or a tunnel's.
func (p *player) read(ctx context.Context, s *script.Step) {
	if p.conn == nil {
		return
	}
	l := p.conn.common()
	_ = l.StartReading() // fails only on a connection that is closed
	x := p.last
	if len(p.pending) > 0 {
		x = p.pending[0]
	}
	if x == nil || x.on == nil || s.Read.Until == script.UntilEOF {
		l.wait(ctx, func() bool { return l.gone })
		return
	}
	l = x.on.common()
	want := int(s.Read.Size)
	if s.Read.Until == script.UntilText {
		want = len(s.Read.Text)
	}
	to := x.taken + want
	ctx, cancel := p.within(ctx, x)
	defer cancel()
	l.await(ctx, x.Exchange, func() bool {
		if s.Read.Until == script.UntilAny {
			return x.answer.Started()
		}
		return x.check.Bytes() >= int64(to)
	})
	got := l.payload(x.Exchange, x.taken, to)
	x.taken = to
	if s.Read.Until == script.UntilText && string(got) != s.Read.Text {
		p.differs(x, "read", fmt.Sprintf("%q", s.Read.Text), fmt.Sprintf("%.100q", got))
	}
	if s.Read.Until == script.UntilBytes && x.short(to) {
		p.differs(x, "read", fmt.Sprintf("%d bytes", want), "the answer's end")
	}
}

func (x *open) short(to int) bool {
	l := x.on.common()
	l.mu.Lock()
	defer l.mu.Unlock()
	return x.check.Bytes() < int64(to)
}
