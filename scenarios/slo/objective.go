package slo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
)

// ErrObjective is wrapped by every error about an objective's spelling.
var ErrObjective = errors.New("bad objective")

// An Objective is what a load must be served like.
type Objective struct {
	Over         string    `yaml:"over" json:"over" jsonschema:"required"` // the load
	Only         string    `yaml:"only" json:"only,omitempty" jsonschema:"enum=unpaced"`
	Except       Except    `yaml:"except" json:"except,omitzero"`
	Latency      Latency   `yaml:"latency" json:"latency,omitempty"`
	Availability *Ratio    `yaml:"availability" json:"availability,omitempty"`
	Level        string    `yaml:"level" json:"level,omitempty" jsonschema:"enum=must,enum=should,enum=may"`
	Because      string    `yaml:"because" json:"because,omitempty"`
	Pos          strictPos `yaml:"-" json:"-"`
}

type strictPos struct{ Line, Column int }

// UnmarshalYAML reads an objective and keeps its place.
func (o *Objective) UnmarshalYAML(n ast.Node) error {
	type plain Objective
	*o = Objective{}
	err := strict.Node(n, (*plain)(o))
	o.Pos.Line, o.Pos.Column = strict.Position(n)
	return err
}

// Except is the windows an objective does not count: every fault window, named
// ones, or stretches.
type Except struct {
	Faults  bool
	Names   []string
	Windows []Window
}

// UnmarshalYAML reads faults, the name of a window, or a list of names and
// {from, until}.
func (e *Except) UnmarshalYAML(n ast.Node) error {
	*e = Except{}
	if text, ok := strict.Scalar(n); ok {
		e.name(text)
		return nil
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return strict.At(n, "found %s; allowed: faults, the name of a window, or a list of names and {from, until}", strict.Kind(n))
	}
	var ps strict.Problems
	for _, item := range list.Values {
		if text, ok := strict.Scalar(item); ok {
			e.name(text)
			continue
		}
		var w struct {
			From  units.Duration `yaml:"from"`
			Until units.Duration `yaml:"until"`
		}
		ps.Add(item, strict.Node(item, &w))
		if w.Until <= w.From && len(ps) == 0 {
			ps.Add(item, fmt.Errorf("found until %s at or before from %s; allowed: a later until", w.Until, w.From))
		}
		e.Windows = append(e.Windows, Window{From: w.From.D(), Until: w.Until.D()})
	}
	return ps.Err()
}

func (e *Except) name(text string) {
	if text == "faults" {
		e.Faults = true
		return
	}
	e.Names = append(e.Names, text)
}

func (e Except) String() string {
	var parts []string
	if e.Faults {
		parts = append(parts, "faults")
	}
	parts = append(parts, e.Names...)
	for _, w := range e.Windows {
		parts = append(parts, fmt.Sprintf("%s–%s", w.From, w.Until))
	}
	return strings.Join(parts, ", ")
}

// Latency bounds quantiles: p99 is 0.99, p99.9 is 0.999.
type Latency map[Quantum]units.Duration

// A Quantum is a quantile as text: p50, p99, p99.9 or max.
type Quantum string

// UnmarshalText implements encoding.TextUnmarshaler.
func (q *Quantum) UnmarshalText(b []byte) error {
	*q = Quantum(b)
	if _, err := q.Share(); err != nil {
		return err
	}
	return nil
}

// Share gives the quantile as a number: 0.99 for p99, 1 for max. The error wraps
// ErrObjective.
func (q Quantum) Share() (float64, error) {
	if q == "max" {
		return 1, nil
	}
	digits, ok := strings.CutPrefix(string(q), "p")
	f, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || f <= 0 || f >= 100 || strings.Trim(digits, "0123456789.") != "" {
		return 0, fmt.Errorf("%w: found %q; allowed: p50, p90, p95, p99, p99.9, max and the like", ErrObjective, string(q))
	}
	return f / 100, nil
}

// sorted gives the quantiles ascending.
func (l Latency) sorted() []Quantum {
	return slices.SortedFunc(maps.Keys(l), func(a, b Quantum) int {
		x, _ := a.Share()
		y, _ := b.Share()
		if x < y {
			return -1
		}
		if x > y {
			return 1
		}
		return strings.Compare(string(a), string(b))
	})
}

// A Ratio is a share between 0 and 1, written 99.9% or 0.999.
type Ratio float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Ratio) UnmarshalText(b []byte) error {
	digits, percent := strings.CutSuffix(string(b), "%")
	f, err := strconv.ParseFloat(digits, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) || strings.Trim(digits, "0123456789.") != "" {
		return fmt.Errorf("%w: found %q; allowed: a share such as 99.9%% or 0.999", ErrObjective, b)
	}
	*r = Ratio(f)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (r Ratio) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r Ratio) String() string { return strconv.FormatFloat(float64(r)*100, 'f', -1, 64) + "%" }
