// Package overhead measures what a proxy adds to the requests that go through
// it: the same load goes to a backend directly and through the proxy, in pairs,
// and within each pair the order turns round (direct, through, through, direct),
// so that whatever drifts on the machine falls on both alike. It measures only;
// what the figures mean is said in reports/overhead.
package overhead

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/book"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/targets"
	"gauntlet/scenarios/wire"
)

// ErrSetup is wrapped when the proxy or the backend could not be had.
var ErrSetup = errors.New("overhead")

// Config says what to measure.
type Config struct {
	Target targets.Target // nil: no proxy, both ways are direct
	Load   load.Load      // of each leg
	Pairs  int
	Delay  time.Duration // put before the proxy on purpose, to see that it is found

	Seed       uint64
	Dir        string   // for books and the proxy's files; it is there already
	Supervisor []string // see process.Spec
	// Progress is told of each pair that is done; nil: nobody listens.
	Progress func(done int)
}

// A Leg is one load, one way.
type Leg struct {
	Took   []time.Duration // of each exchange, from its planned start
	CPU    time.Duration   // that the proxy used meanwhile
	Sent   int
	Failed int // not answered 200, whole
	// Short says that less than 99 % of the plan was offered, or less than that in
	// time: then part of what is measured is the delay of who measures.
	Short bool
}

// A Pair is a leg each way, one right after the other.
type Pair struct{ Direct, Through Leg }

// warm is the share of a leg's time that both ways are loaded before anything
// counts.
const warm = 4

// Run measures the pairs. It returns those it has beside an error, too.
func Run(ctx context.Context, cfg Config) (pairs []Pair, err error) {
	b, err := backend.Start(context.WithoutCancel(ctx), backend.Config{
		Number: 1, Listen: "127.0.0.1:0", Run: 1, Seed: cfg.Seed, Book: filepath.Join(cfg.Dir, "backend.book"), Begun: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	defer func() { err = errors.Join(err, b.Stop(context.WithoutCancel(ctx))) }()
	w, err := open(ctx, cfg, b.Addr())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	short := cfg.Load
	short.For /= warm
	for _, way := range []wire.Target{w.direct, w.through} {
		if _, err := w.leg(ctx, cfg, way, short); err != nil {
			return nil, err
		}
	}
	for i := range cfg.Pairs {
		var p Pair
		order := []struct {
			way wire.Target
			to  *Leg
		}{{w.direct, &p.Direct}, {w.through, &p.Through}}
		if i%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		for _, one := range order {
			if *one.to, err = w.leg(ctx, cfg, one.way, cfg.Load); err != nil {
				return pairs, err
			}
		}
		pairs = append(pairs, p)
		if cfg.Progress != nil {
			cfg.Progress(len(pairs))
		}
	}
	return pairs, nil
}

// leg offers the load one way.
func (w *ways) leg(ctx context.Context, cfg Config, to wire.Target, l load.Load) (out Leg, err error) {
	w.legs++
	run := cfg.Seed + w.legs
	client, err := book.Create(filepath.Join(cfg.Dir, fmt.Sprintf("leg-%d.book", w.legs)), book.Header{Kind: book.ClientBook, Run: run})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, client.Seal()) }()
	var mu sync.Mutex
	seen := map[uint64]book.Client{} // an exchange's record is renewed when its connection is used again
	before, err := w.cpu()
	if err != nil {
		return out, err
	}
	res, err := load.Run(ctx, load.Config{
		Target: to, Load: l, IDs: wire.NewIDs(run), Book: client, Seed: cfg.Seed,
		Observe: func(r book.Client) {
			mu.Lock()
			defer mu.Unlock()
			seen[r.Seq] = r
		},
	})
	if err != nil {
		return out, err
	}
	after, err := w.cpu()
	if err != nil {
		return out, err
	}
	out = Leg{CPU: after - before, Sent: int(res.Sent), Short: res.Short() || res.Late*100 > res.Sent, Took: make([]time.Duration, 0, len(seen))}
	for _, r := range seen {
		if !r.End.Clean() || r.Status != 200 {
			out.Failed++
		}
		out.Took = append(out.Took, time.Duration(r.Ended-r.Intended))
	}
	return out, nil
}
