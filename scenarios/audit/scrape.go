package audit

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"gauntlet/scenarios/evidence"
)

// A Scrape is what a target's metrics were at one moment.
type Scrape struct {
	At       int64 // Unix nanoseconds
	families map[string]*dto.MetricFamily
}

// ReadScrape reads metrics that were kept as evidence; see evidence.Dir.Metrics.
func ReadScrape(path string, at int64) (*Scrape, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer func() { _ = f.Close() }()
	s, err := ParseScrape(f, at)
	if err != nil {
		return nil, fmt.Errorf("read metrics %s: %w", path, err)
	}
	return s, nil
}

// ParseScrape is ReadScrape on a stream.
func ParseScrape(r io.Reader, at int64) (*Scrape, error) {
	s := &Scrape{At: at, families: map[string]*dto.MetricFamily{}}
	d := expfmt.NewDecoder(r, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		f := new(dto.MetricFamily)
		switch err := d.Decode(f); {
		case errors.Is(err, io.EOF):
			return s, nil
		case err != nil:
			return nil, err
		}
		s.families[f.GetName()] = f
	}
}

func (s *Scrape) series(name string) []*dto.Metric { return s.families[name].GetMetric() }

// sum adds up the series that a word of ours stands for; ok is false when there
// is no such metric.
func (s *Scrape) sum(g evidence.Gauge) (sum float64, ok bool) {
	for _, m := range s.series(g.Name) {
		if g.Has(func(name string) string { return label(m, name) }) {
			sum += m.GetGauge().GetValue() + counted(m)
		}
	}
	return sum, s.families[g.Name] != nil
}

func (s *Scrape) names() []string { return slices.Sorted(maps.Keys(s.families)) }

// begin is when the process behind the metrics says that it began; 0 when it
// does not.
func (s *Scrape) begin() float64 {
	for _, m := range s.series("process_start_time_seconds") {
		return m.GetGauge().GetValue()
	}
	return 0
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// A key is what exchanges are counted by. A metric without the label has the
// zero value there, and a class such as 2xx counts as its hundred.
type key struct {
	method string
	code   int
	route  string
	class  string // of what went wrong
}

func (k key) String() string {
	return strings.TrimSpace(k.method + " " + strconv.Itoa(k.code) + " " + k.class)
}

// otherMethod stands for every method that has no name of its own.
const otherMethod = "OTHER"

// usual gives a method as counters name it.
func usual(name string) string {
	up := strings.ToUpper(name)
	for _, m := range methods {
		if up == m {
			return m
		}
	}
	return otherMethod
}

// A grain says which labels a counter has.
type grain struct {
	method, code, hundreds, route, class bool
}

// of gives the key under which a counter of that grain counts an exchange.
func (g grain) of(k key) key {
	if !g.method {
		k.method = ""
	}
	switch {
	case !g.code:
		k.code = 0
	case g.hundreds:
		k.code = k.code / 100 * 100
	}
	if !g.route {
		k.route = ""
	}
	if !g.class {
		k.class = ""
	}
	return k
}
