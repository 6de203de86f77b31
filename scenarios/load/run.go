package load

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/wire"
)

// LateAfter is how long after its intended time a request counts as late.
const LateAfter = 10 * time.Millisecond

// Config is what a load needs to run.
type Config struct {
	Target  wire.Target
	Roots   *x509.CertPool // who vouches for the target, if Load speaks TLS
	Load    Load
	IDs     *wire.IDs
	Book    *book.Writer
	Group   uint16 // of this load, which also tells its draws from another's
	Seed    uint64
	Begin   time.Time         // of the case; Load.From counts from it; zero means now
	Enough  <-chan struct{}   // when it is closed nothing more is started, and what is under way ends; nil never
	Observe func(book.Client) // called with each final record if set, from several goroutines
}

// A Result says what was offered. What became of it stands in the book.
type Result struct {
	Name       string
	Planned    uint64          // by the load's shape
	Sent       uint64          // started, each with its client record
	Late       uint64          // of these, started more than LateAfter after the intended time
	Starved    uint64          // of the late ones, those that found a worker free since they were due: the generator's own doing
	MaxLate    time.Duration   // the latest start
	MaxWorkers uint64          // allowed at once
	Workers    uint64          // at once, at the most
	Sealed     uint64          // answers that said what they were, see fixtures/seal
	Mismatches []wire.Mismatch // the first MaxMismatches ways in which they were not that
}

// Offered is the share of the plan that was started, 1 when nothing was planned.
func (r Result) Offered() float64 {
	if r.Planned == 0 {
		return 1
	}
	return float64(r.Sent) / float64(r.Planned)
}

// Short reports whether less than 99 % of the plan was offered: what was
// measured then is not what was asked, and the judge calls it invalid.
func (r Result) Short() bool { return r.Sent*100 < r.Planned*99 }

// Run offers the load, which is to be valid (see Validate), and waits until
// every request has ended and everything it started is gone. Requests that the
// plan's end finds waiting for a worker are still started, for as long as an
// exchange may take; then the rest stays unsent. When ctx is done, what is
// under way ends as abandoned, the rest stays unsent, and the error wraps ctx's
// cause. An error that wraps wire.ErrLocal, or one of the book, means that the
// measuring side failed. The Result is right beside an error too.
func Run(ctx context.Context, cfg Config) (Result, error) {
	plan, err := cfg.Load.Plan()
	if err != nil {
		return Result{}, fmt.Errorf("load %q: %w", cfg.Load.Name, err)
	}
	if cfg.Begin.IsZero() {
		cfg.Begin = time.Now()
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	cfg.Target = cfg.Target.Under(cfg.Load.TLS, cfg.Roots)
	d := newDriver(ctx, cfg, plan, fail)
	workers := uint64(cfg.Load.maxWorkers())
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: d, CheckRedirect: follow}),
		vegeta.Workers(min(workers, vegeta.DefaultWorkers)), vegeta.MaxWorkers(workers),
	)
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	d.attack(attacker)
	res := d.result()
	if err := context.Cause(ctx); err != nil {
		return res, fmt.Errorf("load %q: %w", cfg.Load.Name, err)
	}
	return res, nil
}

// follow follows no redirect: the answer is what is measured.
func follow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// attack runs Vegeta's attack to its end. Its results hold nothing that the
// book does not; a goroutine of their own takes them off the unbuffered
// channel, so that no worker waits for anybody.
func (d *driver) attack(a *vegeta.Attacker) {
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: "http://target.invalid/"})
	var drained sync.WaitGroup
	results := a.Attack(target, d.pacer(), 0, d.cfg.Load.Name)
	drained.Go(func() {
		for range results {
		}
	})
	drained.Wait()
	d.idle.close()
}
