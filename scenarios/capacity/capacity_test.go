package capacity_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
	report "gauntlet/reports/capacity"
	"gauntlet/scenarios/capacity"
	"gauntlet/scenarios/usage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// station serves with a number of workers, each of which holds a request for a
// time: its ceiling is workers/hold, which nobody tells the search. It lives in
// computed time, so that no machine disturbs it.
type station struct {
	workers  int
	hold     time.Duration
	jitter   time.Duration // of each answer
	direct   float64       // what the generator does against the backend; 0 is plenty
	starved  float64       // share that begins late by itself
	damaged  float64       // rate from which one request comes to harm
	refused  bool          // it refuses what would have to wait
	lucky    float64       // a rate that is carried when it is first offered
	workload usage.Seen
	rng      *rand.Rand
	probes   int
}

func (s *station) ceiling() float64 { return float64(s.workers) / s.hold.Seconds() }

func (s *station) Probe(_ context.Context, o capacity.Offer) (*capacity.Measured, error) {
	m := &capacity.Measured{Seen: s.workload, Limits: usage.Limits{Cores: 2}}
	workers, hold := s.workers, s.hold
	if o.Direct {
		workers, hold = 8, time.Millisecond
		if s.direct > 0 {
			workers, hold = 1, time.Duration(float64(time.Second)/s.direct)
		}
	} else {
		s.probes++
	}
	if o.Rate == s.lucky {
		workers, s.lucky = 2*workers, 0
	}
	free := make([]time.Duration, workers)
	n := int(math.Ceil(o.Rate * (o.Warm + o.For).Seconds()))
	m.Samples = make([]capacity.Sample, 0, n)
	for k := range n {
		at := time.Duration(float64(k) / o.Rate * float64(time.Second))
		begin := max(at, free[k%workers])
		if s.refused && begin > at {
			m.Samples = append(m.Samples, capacity.Sample{At: at, From: at, End: at})
			continue
		}
		free[k%workers] = begin + hold
		m.Samples = append(m.Samples, capacity.Sample{At: at, From: at, End: free[k%workers] + time.Duration(s.rng.Int64N(int64(s.jitter)+1)), Good: true})
	}
	m.Planned, m.Sent, m.Ledger = n, n, reports.Ledger{Sent: n, Delivered: n}
	if !o.Direct {
		m.Starved = int(s.starved * float64(n))
		m.Late = m.Starved
		if s.damaged > 0 && o.Rate >= s.damaged {
			m.Ledger.Delivered, m.Ledger.Lost = n-1, 1
		}
	}
	return m, nil
}

func run(t *testing.T, s *station, change func(*capacity.Config)) *report.Report {
	t.Helper()
	if s.rng == nil {
		s.rng = rand.New(rand.NewPCG(1, 2))
	}
	cfg := capacity.Config{
		Prober: s, Objective: capacity.Objective{Quantile: .99, Bound: 250 * time.Millisecond, Errors: .001},
		MinRate: 50, Probe: 4 * time.Second, Repeats: 3, Peak: 1000, Seed: 4,
	}
	if change != nil {
		change(&cfg)
	}
	r, err := capacity.Run(t.Context(), cfg)
	require.NoError(t, err)
	r.Headline = r.Summarise()
	require.NoError(t, r.Validate())
	return r
}

// Five searches on each of several stations: within 3 % of the ceiling in at
// most 12 probes, and within 5 % of each other.
func TestAQueuesCeilingIsFound(t *testing.T) {
	for _, s := range []*station{
		{workers: 8, hold: 20 * time.Millisecond},
		{workers: 1, hold: 3 * time.Millisecond},
		{workers: 30, hold: 37 * time.Millisecond},
		{workers: 8, hold: 11 * time.Millisecond, jitter: 30 * time.Millisecond},
		{workers: 20, hold: 35 * time.Millisecond, jitter: 3 * time.Millisecond},
	} {
		var found []float64
		for n := range uint64(5) {
			s.rng, s.probes = rand.New(rand.NewPCG(n, 9)), 0
			r := run(t, s, nil)
			require.Equal(t, reports.Pass, r.Verdict)
			require.InEpsilon(t, s.ceiling(), r.Found.Rate, .03, "%d workers of %s: %s", s.workers, s.hold, r.Headline)
			require.LessOrEqual(t, r.Found.Low, s.ceiling()*1.01)
			require.GreaterOrEqual(t, r.Found.High, s.ceiling()*.99)
			require.LessOrEqual(t, s.probes, 12)
			found = append(found, r.Found.Rate)
		}
		require.LessOrEqual(t, slices.Max(found)/slices.Min(found), 1.05)
	}
}

func TestWhatAReaderIsToldFirst(t *testing.T) {
	s := &station{workers: 20, hold: 20 * time.Millisecond}
	s.workload.Parties = map[string]usage.Use{capacity.Target: {Cores: 1.9, Peak: 2}}
	r := run(t, s, func(c *capacity.Config) { c.Peak = 800 })
	require.Equal(t, report.CPU, r.GaveOut.What)
	require.Regexp(t, `rps \(95 % CI .*\) at p99 ≤ 250 ms; CPU gave out first; for a peak of 800 plan 2 \(N\+1\)$`, r.Headline)
	require.Positive(t, r.Found.CPU)
	require.NotEmpty(t, r.Percentiles)
}

func TestAGeneratorThatGivesOutAccusesNobody(t *testing.T) {
	for name, s := range map[string]*station{
		"the target carries all that there is": {workers: 900, hold: time.Millisecond, direct: 2000},
		"it is late by itself":                 {workers: 8, hold: 20 * time.Millisecond, starved: .05},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, s, nil)
			require.Equal(t, reports.Invalid, r.Verdict)
			require.Equal(t, report.GeneratorIs, r.GaveOut.What)
			require.Nil(t, r.Found, "no number for the target")
			require.NotEmpty(t, r.GaveOut.Advice)
			require.Contains(t, r.Headline, "the load generator gave out first")
		})
	}
}

func TestNeighboursAreNotTheTargetsDoing(t *testing.T) {
	s := &station{workers: 8, hold: 20 * time.Millisecond}
	s.workload = usage.Seen{Cores: 2, Busy: .99, Parties: map[string]usage.Use{capacity.Target: {Cores: .4}, capacity.Generator: {Cores: .3}}}
	r := run(t, s, nil)
	require.Equal(t, reports.Invalid, r.Verdict)
	require.Equal(t, report.Neighbours, r.GaveOut.What)
	require.Nil(t, r.Found)
	s.refused = true
	require.Equal(t, report.Neighbours, run(t, s, nil).GaveOut.What, "nor are the failures that follow from it")
	s.refused = false
	s.workload.Parties[capacity.Target] = usage.Use{Cores: 1.5}
	r = run(t, s, nil)
	require.Equal(t, reports.Pass, r.Verdict)
	require.Equal(t, report.CPU, r.GaveOut.What)
}

// TestARateThatHeldByChanceIsNoCeiling lets a rate that grew to just above the
// ceiling hold once: all probes are spent above it before it is found out.
func TestARateThatHeldByChanceIsNoCeiling(t *testing.T) {
	var grown []float64
	for _, p := range run(t, &station{workers: 80, hold: 20 * time.Millisecond}, nil).Probes {
		if p.Why == "growing" {
			grown = append(grown, p.Rate)
		}
	}
	require.Greater(t, len(grown), 2)
	at := grown[len(grown)-2]
	workers := 20
	s := &station{workers: workers, hold: time.Duration(float64(workers) / (.99 * at) * float64(time.Second)), lucky: at}
	r := run(t, s, nil)
	require.Equal(t, reports.Invalid, r.Verdict)
	require.Nil(t, r.Found)
	require.Contains(t, r.Headline, "probes did not suffice")
	require.Contains(t, r.GaveOut.Advice, "--min-rate")
}

func TestTheMostThatIsAllowedMayBeCarried(t *testing.T) {
	r := run(t, &station{workers: 80, hold: 20 * time.Millisecond}, func(c *capacity.Config) { c.MaxRate = 500 })
	require.Equal(t, reports.Pass, r.Verdict)
	require.True(t, r.Found.AtLeast)
	require.InDelta(t, 500, r.Found.Rate, 0)
	require.Contains(t, r.Headline, "at least 500 rps")
}

func TestATargetThatCarriesNothingFails(t *testing.T) {
	r := run(t, &station{workers: 1, hold: 300 * time.Millisecond}, nil)
	require.Equal(t, reports.Fail, r.Verdict)
	require.Nil(t, r.Found)
	require.Contains(t, r.Headline, "not even 50 rps")
}

func TestDamageIsNoCeiling(t *testing.T) {
	r := run(t, &station{workers: 8, hold: 20 * time.Millisecond, damaged: 200}, nil)
	require.Equal(t, reports.Fail, r.Verdict, "no load excuses it")
	require.Equal(t, report.Ledger, r.GaveOut.What)
	require.InEpsilon(t, 200, r.Found.Failed, .03)
}

// interrupted ends the run after some probes.
type interrupted struct {
	station
	after  int
	cancel context.CancelFunc
}

func (i *interrupted) Probe(ctx context.Context, o capacity.Offer) (*capacity.Measured, error) {
	if i.probes == i.after {
		i.cancel()
	}
	return i.station.Probe(ctx, o)
}

func TestAnInterruptedSearchSaysWhatItFound(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &interrupted{station: station{workers: 8, hold: 20 * time.Millisecond, rng: rand.New(rand.NewPCG(1, 2))}, after: 1, cancel: cancel}
	r, err := capacity.Run(ctx, capacity.Config{
		Prober: s, Objective: capacity.Objective{Quantile: .99, Bound: 250 * time.Millisecond}, MinRate: 50, Probe: time.Second, Repeats: 3,
	})
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, r.Interrupted)
	require.Equal(t, reports.Invalid, r.Verdict)
	require.True(t, r.Found.AtLeast)
	require.NoError(t, r.Validate())
}
