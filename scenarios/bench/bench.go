// Package bench runs whole proxies side by side and says what each costs: CPU
// time a request, requests a second, latency, memory, and bytes for an idle
// client. Each contestant is a process of its own on one core; the load and
// the origin, which answer for nothing but speed, share the other. All
// contestants take turns in every round, so that ratios between them hold on
// a machine that has other work to do; no figure of one run may be compared
// with that of another.
//
// Nothing here judges whether a proxy loses requests; a contestant that
// answers wrongly merely gets no figures.
package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/ports"
)

// ErrSetup is wrapped when the bench itself could not do its work.
var ErrSetup = errors.New("bench")

// Config says what to measure.
type Config struct {
	Contestants []Contestant
	Base        string // name of the one that others are compared with
	Bodies      []int  // bytes of an answer's body
	Connections []int  // kept alive, one request under way on each
	Rounds      int
	Cell        time.Duration // of load, for one contestant and one cell of a round
	Idle        []int         // numbers of idle connections whose memory is measured, one after the other; they may repeat
	Seed        uint64        // of the order within rounds
	Core        int           // of the contestants
	LoadCore    int           // of load and origin

	Dir        string   // for the contestants' files; it is there already
	Supervisor []string // see process.Spec
	// Progress gets a line for each thing done; nil: nobody listens.
	Progress func(line string)
}

// warm is how long a contestant is asked before its figures count.
const warm = 150 * time.Millisecond

// Run measures every contestant. A contestant that cannot be started or that
// answers wrongly has the reason in the result; an error is the bench's own,
// or ctx's. When it returns nothing that it started is left.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if cfg.Core == cfg.LoadCore {
		return nil, fmt.Errorf("%w: the contestants' core %d is the load's, too; allowed: two different ones", ErrSetup, cfg.Core)
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	b := &bench{cfg: cfg, rand: rand.New(rand.NewPCG(cfg.Seed, 0))}
	unpin, err := pinAll(cfg.LoadCore)
	if err != nil {
		return nil, err
	}
	defer unpin()
	if b.origin, err = newOrigin(cfg.Bodies); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	if b.sink, err = newSink(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrSetup, err), b.origin.close())
	}
	if b.ports, err = ports.Claim(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrSetup, err), b.sink.close(), b.origin.close())
	}
	r := b.newResult()
	err = b.run(ctx, r)
	r.Seconds = time.Since(r.Started).Seconds()
	r.settle()
	return r, errors.Join(err, b.sink.close(), b.origin.close(), b.ports.Close())
}

type bench struct {
	cfg    Config
	rand   *rand.Rand
	origin *origin
	sink   *sink
	ports  *ports.Ports
}

func (b *bench) run(ctx context.Context, r *Result) error {
	running := make([]*instance, len(b.cfg.Contestants))
	defer func() {
		for _, i := range running {
			i.stop()
		}
	}()
	for n, c := range b.cfg.Contestants {
		i, err := b.start(ctx, c, "rounds")
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			r.Contestants[n].Error = err.Error()
			b.cfg.Progress(fmt.Sprintf("%-16s left out: %v", c.Name, err))
		}
		running[n] = i
	}
	for round := range b.cfg.Rounds {
		if err := b.round(ctx, r, running, round+1); err != nil {
			return err
		}
	}
	for n, i := range running {
		i.stop()
		running[n] = nil
	}
	return b.idle(ctx, r)
}

// round measures every cell of every contestant, which take turns within each
// cell: who follows whom changes from round to round.
func (b *bench) round(ctx context.Context, r *Result, running []*instance, number int) error {
	for _, body := range b.cfg.Bodies {
		for _, conns := range b.cfg.Connections {
			for _, n := range b.rand.Perm(len(running)) {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				cell := r.Contestants[n].cell(body, conns)
				if running[n] == nil || cell.Error != "" {
					continue
				}
				got, err := b.measure(running[n], cell)
				if err != nil {
					cell.Error = err.Error()
					b.cfg.Progress(fmt.Sprintf("[%d/%d] %-16s %s", number, b.cfg.Rounds, b.cfg.Contestants[n].Name, cell.Error))
					continue
				}
				got.Number = number
				cell.Rounds = append(cell.Rounds, got)
				b.cfg.Progress(fmt.Sprintf("[%d/%d] %-16s %7s ×%-4d %8.1f µs/request %9.0f/s", number, b.cfg.Rounds,
					b.cfg.Contestants[n].Name, units.Size(body), conns, got.CPU, got.PerSecond))
			}
		}
	}
	return nil
}

// measure loads one contestant for the time of one cell. What it still does
// when the last answer has come, such as exporting spans, is paid for, too.
func (b *bench) measure(i *instance, c *Cell) (got Round, err error) {
	l, err := newLoad(i.address, c.Connections)
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.run(c.Body, warm); err != nil {
		return got, err
	}
	if _, err := i.quiet(); err != nil {
		return got, err
	}
	before, spans, began := i.sample(), b.sink.spans.Load(), time.Now()
	if err := l.run(c.Body, b.cfg.Cell); err != nil {
		return got, err
	}
	took := time.Since(began)
	loaded := i.sample()
	after, err := i.quiet()
	if err != nil {
		return got, err
	}
	n := float64(l.answers)
	return Round{
		Requests: l.answers, CPU: float64((after.CPU - before.CPU).Microseconds()) / n, PerSecond: n / took.Seconds(),
		P50: l.latency.quantile(0.5), P99: l.latency.quantile(0.99), RSS: loaded.RSS,
		Spans: float64(b.sink.spans.Load()-spans) / n, Reopened: l.reopened,
	}, nil
}
