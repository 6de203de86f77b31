package breaker_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/upstream/breaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func figures() breaker.Config {
	return breaker.Config{FailureRate: 0.6, MinFailures: 5, Window: time.Second, OpenFor: 2 * time.Second, HalfOpen: 3}
}

// allow asks for one request; done reports its outcome.
func allow(b breaker.Breaker) (done func(breaker.Outcome), ok bool) {
	t, ok := b.Allow()
	return func(o breaker.Outcome) { b.Done(&t, o) }, ok
}

// say lets n requests through with the same outcome.
func say(t *testing.T, b breaker.Breaker, n int, o breaker.Outcome) {
	t.Helper()
	for range n {
		done, ok := allow(b)
		require.True(t, ok)
		done(o)
	}
}

func TestTrips(t *testing.T) {
	for name, c := range map[string]struct {
		successes, failures, ignored int
		want                         breaker.State
	}{
		"too few failures":       {0, 4, 0, breaker.Closed},
		"failures alone":         {0, 5, 0, breaker.Open},
		"rate just reached":      {4, 6, 0, breaker.Open},
		"rate not reached":       {4, 5, 0, breaker.Closed},
		"half":                   {100, 100, 0, breaker.Closed},
		"ignored do not fail":    {0, 4, 100, breaker.Closed},
		"ignored do not succeed": {0, 5, 100, breaker.Open},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breaker.New(figures())
				say(t, b, c.ignored, breaker.Ignored)
				say(t, b, c.successes, breaker.Success)
				say(t, b, c.failures, breaker.Failure)
				require.Equal(t, c.want, b.State())
				_, ok := allow(b)
				require.Equal(t, c.want == breaker.Closed, ok)
			})
		})
	}
}

func TestWindowSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(figures())
		for range 20 { // four a window: never enough
			say(t, b, 4, breaker.Failure)
			time.Sleep(1100 * time.Millisecond)
		}
		require.Equal(t, breaker.Closed, b.State())
		say(t, b, 1000, breaker.Success)
		time.Sleep(time.Second + 100*time.Millisecond) // old successes do not dilute
		say(t, b, 3, breaker.Failure)
		time.Sleep(500 * time.Millisecond) // still in the window
		say(t, b, 2, breaker.Failure)
		require.Equal(t, breaker.Open, b.State())
	})
}

// A body that breaks turns the success of its head into a failure.
func TestFailureAfterSuccess(t *testing.T) {
	b := breaker.New(figures())
	var dones []func(breaker.Outcome)
	for range 5 {
		done, ok := allow(b)
		require.True(t, ok)
		done(breaker.Success)
		dones = append(dones, done)
	}
	for _, done := range dones[:4] {
		done(breaker.Failure)
		done(breaker.Failure) // counts once
		done(breaker.Success) // does not undo
	}
	require.Equal(t, breaker.Closed, b.State())
	dones[4](breaker.Failure)
	require.Equal(t, breaker.Open, b.State())
}

func open(t *testing.T) *breaker.Sliding {
	t.Helper()
	b := breaker.New(figures())
	say(t, b, 5, breaker.Failure)
	require.Equal(t, breaker.Open, b.State())
	return b
}

func TestOpensHealsAndOpensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		require.Equal(t, 2*time.Second, b.RetryAfter())
		time.Sleep(2*time.Second - time.Nanosecond)
		_, ok := allow(b)
		require.False(t, ok)
		require.Equal(t, time.Duration(1), b.RetryAfter())
		time.Sleep(time.Nanosecond)
		require.Equal(t, breaker.HalfOpen, b.State())
		say(t, b, 2, breaker.Success)
		require.Equal(t, breaker.HalfOpen, b.State())
		say(t, b, 1, breaker.Failure)
		require.Equal(t, breaker.Open, b.State(), "one failure is enough")
		time.Sleep(2 * time.Second)
		say(t, b, 3, breaker.Success)
		require.Equal(t, breaker.Closed, b.State())
		require.Zero(t, b.RetryAfter())
		say(t, b, 4, breaker.Failure)
		require.Equal(t, breaker.Closed, b.State(), "the window starts empty")
	})
}

// br-halfopen-stampede: 200 at the instant of half-open, 3 get in.
func TestHalfOpenAdmitsAMeteredFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		time.Sleep(2*time.Second + time.Millisecond)
		var admitted atomic.Int64
		var wg sync.WaitGroup
		var mu sync.Mutex
		var probes []func(breaker.Outcome)
		for range 200 {
			wg.Go(func() {
				if done, ok := allow(b); ok {
					admitted.Add(1)
					mu.Lock()
					probes = append(probes, done)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		require.Equal(t, int64(3), admitted.Load())

		time.Sleep(10 * time.Second) // still in flight: no further ones, ever
		_, ok := allow(b)
		require.False(t, ok)

		probes[0](breaker.Ignored) // one cancelled: its place is free again
		again, ok := allow(b)
		require.True(t, ok)
		_, ok = allow(b)
		require.False(t, ok)

		again(breaker.Success)
		probes[1](breaker.Success)
		require.Equal(t, breaker.HalfOpen, b.State())
		probes[2](breaker.Success)
		require.Equal(t, breaker.Closed, b.State())
	})
}

// Cancelled probes do not use up their period either.
func TestCancelledProbesFreeTheirPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		time.Sleep(2 * time.Second)
		say(t, b, 100, breaker.Ignored)
		say(t, b, 3, breaker.Success)
		require.Equal(t, breaker.Closed, b.State())
	})
}

// Quick probes are metered per period as well.
func TestProbesPerPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := figures()
		cfg.HalfOpen = 2
		b := breaker.New(cfg)
		say(t, b, 5, breaker.Failure)
		time.Sleep(2 * time.Second)
		first, ok := allow(b)
		require.True(t, ok)
		second, ok := allow(b)
		require.True(t, ok)
		first(breaker.Success)
		_, ok = allow(b)
		require.False(t, ok, "two were admitted in this period")
		require.Equal(t, 2*time.Second, b.RetryAfter())
		time.Sleep(2 * time.Second)
		third, ok := allow(b)
		require.True(t, ok, "a new period")
		second(breaker.Ignored)
		third(breaker.Success)
		require.Equal(t, breaker.Closed, b.State())
	})
}

// Late results belong to the state that admitted their request.
func TestLateResultsAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(figures())
		var late []func(breaker.Outcome)
		for range 20 {
			done, _ := allow(b)
			late = append(late, done)
		}
		say(t, b, 5, breaker.Failure)
		time.Sleep(2 * time.Second)
		probe, ok := allow(b)
		require.True(t, ok)
		for _, done := range late[:10] {
			done(breaker.Failure)
		}
		require.Equal(t, breaker.HalfOpen, b.State())
		probe(breaker.Success)
		say(t, b, 2, breaker.Success)
		require.Equal(t, breaker.Closed, b.State())
		for _, done := range late[10:] {
			done(breaker.Failure)
		}
		probe(breaker.Failure)
		require.Equal(t, breaker.Closed, b.State())
	})
}

// No outcome is lost under contention.
func TestConcurrentOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := figures()
		cfg.MinFailures, cfg.FailureRate = 6000, 0.5
		b := breaker.New(cfg)
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				for range 1000 {
					if done, ok := allow(b); ok {
						done(breaker.Outcome(i % 2))
					}
				}
			})
		}
		wg.Wait()
		// 6,000 failures of 12,000: trips exactly when the rate is reached
		// with all of them counted, or by the next failure.
		if b.State() == breaker.Closed {
			say(t, b, 1, breaker.Failure)
		}
		require.Equal(t, breaker.Open, b.State())
	})
}

func TestDefaults(t *testing.T) {
	b := breaker.New(breaker.Config{})
	say(t, b, 5, breaker.Failure)
	require.Equal(t, breaker.Closed, b.State())
	say(t, b, 1, breaker.Failure)
	require.Equal(t, breaker.Open, b.State())
	require.Greater(t, b.RetryAfter(), breaker.DefaultOpenFor-time.Second)
	require.Equal(t, []string{"closed", "half-open", "open"}, []string{breaker.Closed.String(), breaker.HalfOpen.String(), breaker.Open.String()})
}

// A decision is to cost at most 150 ns, and no allocation (issue 3).
func BenchmarkDecision(b *testing.B) {
	for name, parallel := range map[string]bool{"alone": false, "contended": true} {
		b.Run(name, func(b *testing.B) {
			br := breaker.New(breaker.Config{})
			b.ReportAllocs()
			if !parallel {
				for b.Loop() {
					t, _ := br.Allow()
					br.Done(&t, breaker.Success)
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					t, _ := br.Allow()
					br.Done(&t, breaker.Success)
				}
			})
		})
	}
}

func TestDecisionsDoNotAllocate(t *testing.T) {
	br := breaker.New(breaker.Config{})
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ticket, _ := br.Allow()
		br.Done(&ticket, breaker.Success)
	}))
}

func TestTheZeroTicketCountsNothing(t *testing.T) {
	b := breaker.New(figures())
	for range 10 {
		b.Done(&breaker.Ticket{}, breaker.Failure)
	}
	require.Equal(t, breaker.Closed, b.State())
}
