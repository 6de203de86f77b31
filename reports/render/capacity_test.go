package render_test

import (
	"bytes"
	"encoding/csv"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/reports/capacity"
	"gauntlet/reports/render"
)

// searched is a search as one goes: it grows past a ceiling of 400 rps, closes
// in on it, and asks again.
func searched() *capacity.Report {
	r := &capacity.Report{
		Schema: capacity.Schema, Verdict: reports.Pass, Target: reports.Target{Name: "edge", Version: "1.4"}, Cores: 2,
		Objective: capacity.Objective{Quantile: .99, Bound: 250, Errors: .001},
		Found:     &capacity.Found{Rate: 396, Low: 392.4, High: 403.7, Failed: 404, Held: 2, Latency: 117.4, Knee: 200, CPU: 153.2, Bytes: 41 << 20},
		GaveOut:   capacity.GaveOut{What: capacity.Pool, Why: []string{"31 requests waited for a connection to a backend"}, Advice: "Raise upstream.pool.max_connections, or add backends."},
		Generator: capacity.Generator{Most: 9120, Trust: 5472, Share: .6, Reason: "as fast as it goes it sends 9,120 rps; 5,470 rps it holds on time"},
		Setup:     []capacity.Fact{{Name: "load", Is: "open loop, evenly spaced; latency counts from the planned start"}},
		Caveats:   []string{"Target, generator and backend shared this machine's 2 cores: with the cores to itself the target may carry more."},
		Seed:      7, Started: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), Seconds: 131.4, Command: "gauntlet capacity --target edge --p99 250ms --errors 0.1% --seed 7",
		Environment: reports.Environment{Gauntlet: "1.0", Go: "go1.26", OS: "linux", Arch: "amd64", Kernel: "6.18", CPUs: 2},
	}
	r.Plan = capacity.PlanFor(300, r.Found)
	r.Calibration = []capacity.Probe{{N: 1, Rate: 5472, Why: "calibrating", Held: true, Seconds: 5, Planned: 32832, Sent: 32832, Samples: 27360, Beyond: 273, Served: 5471.8, Ledger: reports.Ledger{Sent: 32832, Delivered: 32832}, Busy: .61, Latency: capacity.Latency{P50: .31, P90: .5, P95: .7, P99: 2.2, P999: 5, Max: 9.5, At: 2.2}}}
	for i, rate := range []float64{50, 100, 200, 400.5, 800, 396, 404, 396} {
		n := int(rate)
		p := capacity.Probe{
			N: i + 1, Rate: rate, Why: "growing", Held: rate < 404, Seconds: 5, Planned: n, Sent: n, Samples: n, Beyond: n / 100, Served: min(rate, 399.6), Busy: tidy(.08 + rate/2000),
			Latency: capacity.Latency{P50: 100.4, P90: 101.2, P95: 102.5, P99: 106, P999: 110, Max: 112.25, At: 106},
			Ledger:  reports.Ledger{Sent: n, Delivered: n}, In: 20, Out: 40,
			Usage: map[string]capacity.Use{"target": {Cores: tidy(rate * .00015), Peak: .3, RSS: 40<<20 + int64(i)<<19, Descriptors: 61, Threads: 9, Switches: 40 * rate}, "generator": {Cores: tidy(rate * .0002)}, "backend": {Cores: tidy(rate * .0001)}},
		}
		if !p.Held {
			p.Latency.At, p.Latency.P99, p.Latency.P999, p.Latency.Max, p.Rising = 812, 812, 820, 823, 150
			p.Because = []string{"p99 is 812 ms, 562 ms over the bound"}
		}
		if rate == 800 {
			p.Stopped, p.Invalid, p.Because = true, "no core was free, and other programs used 31 % of them", []string{"the backlog or the errors were far beyond what may be"}
		}
		r.Probes = append(r.Probes, p)
	}
	for _, p := range []struct {
		share float64
		ms    reports.Millis
		count int
	}{{0, 100.012, 1}, {.5, 100.4, 990}, {.9, 101.2, 1782}, {.99, 106, 1960}, {.999, 110, 1978}, {1, 112.25, 1980}} {
		r.Percentiles = append(r.Percentiles, capacity.Percentile{Share: p.share, MS: p.ms, Count: p.count})
	}
	r.Headline = r.Summarise()
	return r
}

func written(t *testing.T, r *capacity.Report, write func(io.Writer, *capacity.Report) error) []byte {
	t.Helper()
	require.NoError(t, r.Validate())
	var b bytes.Buffer
	require.NoError(t, write(&b, r))
	return b.Bytes()
}

func TestCapacityInEveryForm(t *testing.T) {
	for name, write := range map[string]func(io.Writer, *capacity.Report) error{
		"capacity.html": render.CapacityHTML, "capacity.md": render.CapacityMarkdown, "capacity.csv": render.CapacityCSV, "capacity.hgrm": render.CapacityHGRM,
		"capacity.txt": func(w io.Writer, r *capacity.Report) error { return render.CapacityText(w, r, "runs/capacity") },
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, written(t, searched(), write)) })
	}
}

func TestCapacityWithoutANumber(t *testing.T) {
	r := searched()
	r.Verdict, r.Found, r.Plan, r.Percentiles = reports.Invalid, nil, nil, nil
	r.GaveOut = capacity.GaveOut{What: capacity.GeneratorIs, Why: []string{"it got no answer from the backend"}}
	r.Probes = nil
	r.Headline = r.Summarise()
	for _, write := range []func(io.Writer, *capacity.Report) error{render.CapacityHTML, render.CapacityMarkdown} {
		page := string(written(t, r, write))
		require.Contains(t, page, "nothing is said of the target")
		require.NotContains(t, page, "396")
		require.NotContains(t, page, "<svg")
	}
}

// Whoever reads the table by program finds as many fields in each row as in the
// first, and a row for each probe.
func TestCapacityCSVIsATable(t *testing.T) {
	r := searched()
	r.Probes[4].Invalid = "a comma, and a \"quote\""
	rows, err := csv.NewReader(bytes.NewReader(written(t, r, render.CapacityCSV))).ReadAll()
	require.NoError(t, err, "a row of another length is an error of the reader")
	require.Len(t, rows, 1+len(r.Calibration)+len(r.Probes))
	require.Equal(t, "a comma, and a \"quote\"", rows[6][len(rows[6])-1])
}

// The format's own sense: shares and counts never fall, and the last column is
// what the second says.
func TestCapacityHGRMHoldsTogether(t *testing.T) {
	text := string(written(t, searched(), render.CapacityHGRM))
	row := regexp.MustCompile(`(?m)^ *([0-9.]+) ([0-9.]+) +([0-9]+)(?: +([0-9.]+))?$`)
	rows := row.FindAllStringSubmatch(text, -1)
	require.Len(t, rows, len(searched().Percentiles))
	last := [3]float64{}
	for _, one := range rows {
		for i := range last {
			v, err := strconv.ParseFloat(one[i+1], 64)
			require.NoError(t, err)
			require.GreaterOrEqual(t, v, last[i])
			last[i] = v
		}
		if one[4] != "" {
			v, err := strconv.ParseFloat(one[4], 64)
			require.NoError(t, err)
			require.InDelta(t, 1/(1-last[1]), v, .01)
		}
	}
	require.Contains(t, text, "#[Max     =      112.250, Total count    =         1980]")
}

// Words over the curve stand apart from each other and from the line of the
// objective, wherever ceiling, knee and objective lie.
func TestWordsOfTheCapacityCurveDoNotTouch(t *testing.T) {
	mark := regexp.MustCompile(`<text class="mk" x="([0-9.]+)" y="([0-9.]+)" text-anchor="(start|end)"[^>]*>([^<]+)</text>`)
	slo := regexp.MustCompile(`<line class="slo" x1="[0-9.]+" y1="([0-9.]+)"`)
	for _, bound := range []reports.Millis{1, 10, 120, 250, 900, 1000, 10000} {
		for _, rate := range []float64{50, 100, 200, 396} {
			for _, knee := range []float64{50, 100, 396} {
				r := searched()
				r.Objective.Bound, r.Found.Rate, r.Found.Low, r.Found.Knee = bound, rate, rate-1, knee
				page := string(written(t, r, render.CapacityHTML))
				all := mark.FindAllStringSubmatch(page, -1)
				require.Len(t, all, 3)
				line := number(t, slo.FindStringSubmatch(page)[1])
				type box struct{ left, right, top, bottom float64 }
				var boxes []box
				for _, m := range all {
					x, y, wide := number(t, m[1]), number(t, m[2]), 6.5*float64(len([]rune(strings.TrimSpace(m[4]))))
					b := box{x, x + wide, y - 11, y + 3}
					if m[3] == "end" {
						b.left, b.right = x-wide, x
					}
					require.False(t, b.top < line && line < b.bottom, "%q lies on the line of the objective, %v", m[4], bound)
					require.GreaterOrEqual(t, b.top, -1.0, m[4])
					for _, o := range boxes {
						apart := math.Min(b.right, o.right) <= math.Max(b.left, o.left) || math.Min(b.bottom, o.bottom) <= math.Max(b.top, o.top)
						require.True(t, apart, "%q touches other words: bound %v, rate %v, knee %v", m[4], bound, rate, knee)
					}
					boxes = append(boxes, b)
				}
			}
		}
	}
}

func tidy(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}
