package capacity

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/usage"
)

// A companion looks at the parties of one probe, and ends it when it is hopeless.
type companion struct {
	offer  Offer
	enough chan struct{}

	mu           sync.Mutex // guards what follows up to the blank line
	done, errors int
	backendPIDs  []func() ([]int, error)

	took    time.Duration
	seen    usage.Seen
	limits  usage.Limits
	metrics map[string]float64
}

var _ engine.Companion = (*companion)(nil)

func newCompanion(o Offer) *companion {
	return &companion{offer: o, enough: make(chan struct{}), metrics: map[string]float64{}}
}

func (c *companion) backends(pids func() ([]int, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backendPIDs = append(c.backendPIDs, pids)
}

// Enough implements engine.Companion.
func (c *companion) Enough() <-chan struct{} { return c.enough }

// Saw implements engine.Companion.
func (c *companion) Saw(x book.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	if !x.End.Clean() || x.Status == 0 || x.Status >= 500 {
		c.errors++
	}
}

const (
	lookEvery   = 250 * time.Millisecond
	hopeEvery   = 20 * time.Millisecond
	scrapeEvery = time.Second
)

// Accompany implements engine.Companion.
func (c *companion) Accompany(ctx context.Context, s engine.Subject) {
	began := time.Now()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { c.hope(ctx, began) })
	wg.Go(func() { c.scrape(ctx, s) })
	w := &usage.Watch{Every: lookEvery, Cores: runtime.NumCPU(), Local: portOf(s.Address)}
	w.Parties = append(w.Parties, usage.Party{Name: Generator, PIDs: func() ([]int, error) { return []int{os.Getpid()}, nil }})
	for _, b := range s.Backends {
		w.Remote = append(w.Remote, portOf(b))
	}
	if s.PIDs != nil {
		w.Parties = append(w.Parties, usage.Party{Name: Target, PIDs: s.PIDs})
		if pids, err := s.PIDs(); err == nil {
			c.limits, _ = usage.LimitsOf(pids[0]) // a target that is gone has none
		}
	}
	c.mu.Lock()
	all := c.backendPIDs
	c.mu.Unlock()
	if len(all) > 0 {
		w.Parties = append(w.Parties, usage.Party{Name: Backend, PIDs: func() (pids []int, err error) {
			for _, of := range all {
				some, failed := of()
				pids, err = append(pids, some...), errors.Join(err, failed)
			}
			return pids, err
		}})
	}
	c.seen = w.Run(ctx)
}

func portOf(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(port)
	return n
}

// scrape keeps the most of each metric of the target's.
func (c *companion) scrape(ctx context.Context, s engine.Subject) {
	tick := time.NewTicker(scrapeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now, err := s.Metrics(ctx)
		if err != nil {
			continue // a target that has no time to tell is measured by its latency
		}
		for name, v := range now {
			c.metrics[name] = max(c.metrics[name], v)
		}
	}
}

// Far beyond what may be: so many times the backlog that the bound allows, and
// such a share of errors.
const (
	farBehind = 4
	farWrong  = .1
	someWrong = 200
)

// hope ends the offer when it is hopeless, or when its time is over and what is
// left of the plan could say nothing new.
func (c *companion) hope(ctx context.Context, began time.Time) {
	tick := time.NewTicker(hopeEvery)
	defer tick.Stop()
	o := c.offer
	whole := o.Warm + o.For
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		at := time.Since(began)
		c.mu.Lock()
		done, wrong := c.done, c.errors
		c.mu.Unlock()
		due := o.Rate * min(at, whole).Seconds()
		backlog := due - float64(done)
		hopeless := at > o.Warm+o.For/5 && backlog > farBehind*o.Rate*o.Objective.Bound.Seconds()+100 ||
			wrong > someWrong && float64(wrong) > max(farWrong, 2*o.Objective.Errors)*float64(done)
		if o.Flood {
			hopeless = at > floodFor
		}
		if hopeless || at > whole+2*o.Objective.Bound+time.Second {
			c.took = min(at, whole)
			close(c.enough)
			return
		}
	}
}

func (c *companion) measured() *Measured {
	return &Measured{Took: c.took, Seen: c.seen, Limits: c.limits, Metrics: c.metrics}
}
