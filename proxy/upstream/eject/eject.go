// Package eject decides when an endpoint has failed so often in a row that it
// is left alone for a while, and how many may be at once. It counts what
// others report; it keeps no list of endpoints and sets no timer.
package eject

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Config are the figures of passive ejection (requirement S0.7). A figure that
// is 0 has its default.
type Config struct {
	Failures   int           // in a row that eject; 0: 5
	Slow       time.Duration // a timeout counts when the try had lasted this long; 0: 2 s
	For        time.Duration // how long an endpoint is out; 0: 60 s
	Decay      float64       // share of the count that is forgotten …; 0: 0.2
	DecayEvery time.Duration // … each time; 0: 30 s
	MaxPercent int           // of an upstream's endpoints that may be out at once; 0: 50
}

// Filled gives the figures with their defaults.
func (c Config) Filled() Config {
	fill(&c.Failures, 5)
	fill(&c.Slow, 2*time.Second)
	fill(&c.For, time.Minute)
	fill(&c.Decay, 0.2)
	fill(&c.DecayEvery, 30*time.Second)
	fill(&c.MaxPercent, 50)
	return c
}

func fill[N int | float64 | time.Duration](n *N, otherwise N) {
	if *n <= 0 {
		*n = otherwise
	}
}

// Floor is how many of n endpoints must stay in, at least one: an error that
// all of them make is more likely the requests' than theirs, and an upstream
// that has ejected all its endpoints has lost requests that one of them would
// have served (aptible/docker-nginx#131, nginx-proxy/nginx-proxy#1495).
func (c Config) Floor(n int) int {
	return max(1, n-n*c.MaxPercent/100)
}

// Strikes count the failures of one endpoint. Safe for concurrent use; a
// success of an endpoint that has none takes no lock.
type Strikes struct {
	cfg Config
	any atomic.Bool

	mu    sync.Mutex
	count float64
	since time.Time // when count last decayed
}

// New makes an empty count. Cfg must be Filled.
func New(cfg Config) *Strikes { return &Strikes{cfg: cfg} }

// Success ends a row of failures.
func (s *Strikes) Success() {
	if !s.any.Load() {
		return
	}
	s.mu.Lock()
	s.count = 0
	s.any.Store(false)
	s.mu.Unlock()
}

// Failure counts one and tells whether the endpoint is to be ejected. It says
// so again at each further failure, for a caller that could not.
func (s *Strikes) Failure() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.count == 0 {
		s.since = now
	}
	if passed := now.Sub(s.since).Truncate(s.cfg.DecayEvery); passed > 0 {
		s.count *= math.Pow(1-s.cfg.Decay, float64(passed/s.cfg.DecayEvery))
		s.since = s.since.Add(passed)
	}
	s.count++
	s.any.Store(true)
	return s.count >= float64(s.cfg.Failures)
}
