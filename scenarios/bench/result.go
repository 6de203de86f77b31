package bench

import (
	"os"
	"runtime"
	"strings"
	"time"
)

// Schema names the form of a Result as JSON; a change that old readers would
// misread gets another number.
const Schema = "gauntlet.bench/v2"

// Result is everything that was measured.
type Result struct {
	Schema      string             `json:"schema"`
	Started     time.Time          `json:"started"`
	Seconds     float64            `json:"seconds"`
	Machine     Machine            `json:"machine"`
	Seed        uint64             `json:"seed"`
	Rounds      int                `json:"rounds"`
	CellSeconds float64            `json:"cell_seconds"`
	Idle        []int              `json:"idle_connections"`
	Base        string             `json:"base"`
	Contestants []ContestantResult `json:"contestants"`
}

// Machine says where it was measured.
type Machine struct {
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

// ContestantResult is what one contestant cost.
type ContestantResult struct {
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"`
	Note      string `json:"note,omitempty"`
	Error     string `json:"error,omitempty"` // why it has no figures at all
	Idle      []Idle `json:"idle"`
	IdleError string `json:"idle_error,omitempty"`
	IdleLine  *Line  `json:"idle_line,omitempty"` // nil: too few measurements for one
	Cells     []Cell `json:"cells"`
}

// Cell is one kind of load. Figures are medians over the rounds; they are zero
// when there is an error.
type Cell struct {
	Body        int    `json:"body_bytes"`
	Connections int    `json:"connections"`
	Error       string `json:"error,omitempty"` // why it has no figures
	Figures     Round  `json:"median"`
	// CPURatio, RateRatio and P99Ratio compare CPU, PerSecond and P99 with the base, round
	// by round; nil without a base.
	CPURatio  *Ratio  `json:"cpu_ratio,omitempty"`
	RateRatio *Ratio  `json:"rate_ratio,omitempty"`
	P99Ratio  *Ratio  `json:"p99_ratio,omitempty"`
	Rounds    []Round `json:"rounds"`
}

// Ratio is a paired ratio over the rounds.
type Ratio struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// Round is what one round gave.
type Round struct {
	Number    int     `json:"round,omitempty"`
	Requests  int     `json:"requests"`
	CPU       float64 `json:"cpu_us_per_request"` // user and system, all processes and threads
	PerSecond float64 `json:"requests_per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	RSS       int64   `json:"rss_bytes"`
	Spans     float64 `json:"spans_per_request"` // that reached the sink meanwhile
	Reopened  int     `json:"reopened"`          // connections the proxy ended
}

func (b *bench) newResult() *Result {
	r := &Result{
		Schema: Schema, Started: time.Now().UTC(), Machine: machine(), Seed: b.cfg.Seed, Rounds: b.cfg.Rounds,
		CellSeconds: b.cfg.Cell.Seconds(), Idle: b.cfg.Idle, Base: b.cfg.Base,
	}
	for _, c := range b.cfg.Contestants {
		one := ContestantResult{Name: c.Name, Version: c.Version, Note: c.Note, Idle: []Idle{}}
		for _, body := range b.cfg.Bodies {
			for _, conns := range b.cfg.Connections {
				one.Cells = append(one.Cells, Cell{Body: body, Connections: conns, Rounds: []Round{}})
			}
		}
		r.Contestants = append(r.Contestants, one)
	}
	return r
}

// cell is the one of that kind.
func (c *ContestantResult) cell(body, connections int) *Cell {
	for i := range c.Cells {
		if c.Cells[i].Body == body && c.Cells[i].Connections == connections {
			return &c.Cells[i]
		}
	}
	return &Cell{}
}

func (r *Result) contestant(name string) *ContestantResult {
	for i := range r.Contestants {
		if r.Contestants[i].Name == name {
			return &r.Contestants[i]
		}
	}
	return nil
}

// settle fills in medians and ratios.
func (r *Result) settle() {
	base := r.contestant(r.Base)
	for i := range r.Contestants {
		r.Contestants[i].IdleLine = through(r.Contestants[i].Idle)
		for j := range r.Contestants[i].Cells {
			c := &r.Contestants[i].Cells[j]
			if c.Error != "" || len(c.Rounds) == 0 {
				c.Rounds = []Round{} // what a wrong proxy seemed to cost is worth nothing
				continue
			}
			c.Figures = medians(c.Rounds)
			if base == nil {
				continue
			}
			if b := base.cell(c.Body, c.Connections); b.Error == "" {
				c.CPURatio = paired(c.Rounds, b.Rounds, func(r Round) float64 { return r.CPU })
				c.P99Ratio = paired(c.Rounds, b.Rounds, func(r Round) float64 { return r.P99 })
				c.RateRatio = paired(c.Rounds, b.Rounds, func(r Round) float64 { return r.PerSecond })
			}
		}
	}
}

func medians(rounds []Round) Round {
	of := func(f func(Round) float64) float64 { return middle(rounds, f) }
	return Round{
		Requests:  int(of(func(r Round) float64 { return float64(r.Requests) })),
		CPU:       of(func(r Round) float64 { return r.CPU }),
		PerSecond: of(func(r Round) float64 { return r.PerSecond }),
		P50:       of(func(r Round) float64 { return r.P50 }),
		P99:       of(func(r Round) float64 { return r.P99 }),
		RSS:       int64(of(func(r Round) float64 { return float64(r.RSS) })),
		Spans:     of(func(r Round) float64 { return r.Spans }),
		Reopened:  int(of(func(r Round) float64 { return float64(r.Reopened) })),
	}
}

func machine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, found := strings.Cut(string(text), "model name"); found {
			name, _, _ := strings.Cut(rest, "\n")
			m.CPU = strings.Trim(name, "\t: ")
		}
	}
	return m
}
