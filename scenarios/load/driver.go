package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/wire"
)

// errLeft is the cause of a context that ends when the client hangs up.
var errLeft = errors.New("the client hangs up")

// driver is the http.RoundTripper that Vegeta's workers call. It sends what the
// load draws for the hit Vegeta numbers, not the request it is given.
type driver struct {
	ctx      context.Context
	fail     context.CancelCauseFunc
	cfg      Config
	plan     []time.Duration
	begin    time.Time // of the load
	deadline time.Duration
	idle     pool

	sent, late, starved, under, most atomic.Uint64
	maxLate, full                    atomic.Int64 // full: when all workers were last known to be busy
	seals                            seals
}

func newDriver(ctx context.Context, cfg Config, plan []time.Duration, fail context.CancelCauseFunc) *driver {
	d := &driver{ctx: ctx, fail: fail, cfg: cfg, plan: plan, begin: cfg.Begin.Add(cfg.Load.From.D()), deadline: cfg.Load.Deadline.D()}
	if d.deadline == 0 {
		d.deadline = wire.DefaultDeadline
	}
	return d
}

func (d *driver) pacer() *pacer {
	return &pacer{ctx: d.ctx, enough: d.cfg.Enough, load: &d.cfg.Load, begin: d.begin, plan: d.plan, last: d.begin.Add(d.cfg.Load.For.D() + d.deadline)}
}

// RoundTrip implements http.RoundTripper: one exchange, whole, on one
// connection. Whatever became of it is in the book before it returns or stands
// there when the connection is used again; Vegeta is told the status.
func (d *driver) RoundTrip(r *http.Request) (*http.Response, error) {
	k, err := strconv.ParseUint(r.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil || k >= uint64(len(d.plan)) {
		return nil, fmt.Errorf("hit number %q of %d", r.Header.Get("X-Vegeta-Seq"), len(d.plan))
	}
	if err := d.ctx.Err(); err != nil {
		return nil, err // unsent: no id was allotted
	}
	rec := d.hit(k)
	if rec.Status == 0 {
		return nil, errors.New(rec.End.String())
	}
	return &http.Response{
		StatusCode: int(rec.Status), Status: strconv.Itoa(int(rec.Status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: r,
	}, nil
}

// hit performs the k-th request of the plan and gives its record as it stands
// at the answer's end.
func (d *driver) hit(k uint64) book.Client {
	intended := d.begin.Add(d.plan[k])
	d.note(intended)
	defer d.leave()
	h := d.cfg.Load.Draw(d.cfg.Seed, d.cfg.Group, k)
	if d.cfg.Load.Mix != nil && d.cfg.Target.Prefix == "" { // else the target is to change the path
		h.Request.Seal()
	}
	x := wire.NewExchange(d.cfg.IDs.Next(), h.Request, d.cfg.Group, intended)
	ctx, cancel := context.WithTimeoutCause(d.ctx, d.deadline+h.Request.Pacing(), wire.ErrDeadline)
	defer cancel()
	if h.Abandon {
		ctx, cancel = context.WithTimeoutCause(ctx, h.After, errLeft)
		defer cancel()
	}
	c, refused := d.send(ctx, x)
	if c == nil {
		return refused
	}
	rec := c.Await(ctx, x)
	if d.cfg.Load.Mix != nil {
		d.unseal(c, x, rec)
	}
	if d.cfg.Load.keepAlive() && c.Reusable() {
		d.idle.put(c)
	} else {
		c.Close()
	}
	return rec
}

// send begins x on an idle connection or else on a new one. When none can be
// made the exchange has ended, and its record is given instead.
func (d *driver) send(ctx context.Context, x *wire.Exchange) (*wire.Conn, book.Client) {
	for c := d.idle.take(); c != nil; c = d.idle.take() {
		if c.Send(ctx, x) {
			return c, book.Client{}
		}
		c.Close()
	}
	began := time.Now()
	c, err := wire.Dial(ctx, d.cfg.Target, d.cfg.IDs.Conn(), d.record)
	if err != nil {
		if errors.Is(err, wire.ErrLocal) {
			d.fail(err)
		}
		rec := x.Refused(ctx, began, err)
		d.record(rec)
		return nil, rec
	}
	c.Send(ctx, x) // a new connection takes its first exchange
	return c, book.Client{}
}

// record takes a final record.
func (d *driver) record(rec book.Client) {
	if err := d.cfg.Book.Append(&rec); err != nil {
		d.fail(err)
	}
	if d.cfg.Observe != nil {
		d.cfg.Observe(rec)
	}
}

// note counts a start. A late one was starved unless all workers were busy at
// some time since it was due: then it waited for the target.
func (d *driver) note(intended time.Time) {
	d.sent.Add(1)
	raise(&d.most, d.under.Add(1))
	d.busy()
	late := time.Since(intended)
	if late > LateAfter {
		d.late.Add(1)
		if d.full.Load() < intended.UnixNano() {
			d.starved.Add(1)
		}
	}
	for old := d.maxLate.Load(); int64(late) > old && !d.maxLate.CompareAndSwap(old, int64(late)); old = d.maxLate.Load() {
	}
}

// leave counts an end.
func (d *driver) leave() {
	d.busy()
	d.under.Add(^uint64(0))
}

func (d *driver) busy() {
	if d.under.Load() >= uint64(d.cfg.Load.maxWorkers()) {
		d.full.Store(time.Now().UnixNano())
	}
}

func raise(most *atomic.Uint64, to uint64) {
	for old := most.Load(); to > old && !most.CompareAndSwap(old, to); old = most.Load() {
	}
}

func (d *driver) result() Result {
	return Result{
		Name: d.cfg.Load.Name, Planned: uint64(len(d.plan)), Sent: d.sent.Load(), Late: d.late.Load(), Starved: d.starved.Load(),
		MaxLate: time.Duration(d.maxLate.Load()), MaxWorkers: uint64(d.cfg.Load.maxWorkers()), Workers: d.most.Load(),
		Sealed: d.seals.sealed, Mismatches: d.seals.found,
	}
}
