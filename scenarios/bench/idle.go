package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Idle is what so many idle clients cost.
type Idle struct {
	Connections int     `json:"connections"`
	Bytes       float64 `json:"bytes"` // that the resident memory has grown by, for all of them
}

// idle measures what idle clients cost, each time in a new process, so that
// no memory of earlier rounds is reused.
func (b *bench) idle(ctx context.Context, r *Result) error {
	for _, connections := range b.cfg.Idle {
		for n, c := range b.cfg.Contestants {
			got := &r.Contestants[n]
			if got.Error != "" || got.IdleError != "" {
				continue
			}
			i, err := b.start(ctx, c, "idle")
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			bytes := 0.0
			if err == nil {
				bytes, err = b.idleBytes(i, connections)
				i.stop()
			}
			if err != nil {
				got.IdleError, got.Idle = err.Error(), []Idle{}
				b.cfg.Progress(fmt.Sprintf("%-16s %d idle connections: %v", c.Name, connections, err))
				continue
			}
			got.Idle = append(got.Idle, Idle{Connections: connections, Bytes: bytes})
			b.cfg.Progress(fmt.Sprintf("%-16s %8.1f KiB for each of %d idle connections", c.Name, bytes/1024/float64(connections), connections))
		}
	}
	return nil
}

// atOnce is how many clients ask at the same time before they become idle: how
// many connections to the backend a crowd would need is not the question.
const atOnce = 32

func (b *bench) idleBytes(i *instance, connections int) (bytes float64, err error) {
	var loads []*load
	defer func() {
		for _, l := range loads {
			err = errors.Join(err, l.close())
		}
	}()
	ask := func(n int) (rss int64, err error) {
		for ; n > 0; n -= atOnce {
			l, err := newLoad(i.address, min(n, atOnce))
			if err != nil {
				return 0, err
			}
			loads = append(loads, l)
			if err := l.run(slices.Min(b.cfg.Bodies), 0); err != nil {
				return 0, err
			}
		}
		s, err := i.quiet()
		return s.RSS, err
	}
	before, err := ask(2 * atOnce) // what a process needs once is not counted
	if err != nil {
		return 0, err
	}
	after, err := ask(connections)
	return float64(after - before), err
}

// each is the median of what one idle connection cost when there were so many.
func (c *ContestantResult) each(connections int) (bytes float64, measured bool) {
	var values []float64
	for _, i := range c.Idle {
		if i.Connections == connections {
			values = append(values, i.Bytes/float64(connections))
		}
	}
	return median(values), len(values) > 0
}

// many is a crowd that no single machine of ours can make (requirement S4.1).
const many = 500_000

func (r *Result) idleTable(b *strings.Builder) {
	sizes := slices.Compact(slices.Sorted(slices.Values(r.Idle)))
	fmt.Fprintf(b, "\n### Idle client connections, KiB each\n\n| proxy |")
	for _, n := range sizes {
		fmt.Fprintf(b, " of %d |", n)
	}
	fmt.Fprintf(b, " one more | GiB of %d |\n|---|%s--:|--:|\n", many, strings.Repeat("--:|", len(sizes)))
	for _, c := range r.Contestants {
		if c.IdleError != "" {
			fmt.Fprintf(b, "| %s | %s |%s\n", c.Name, strings.ReplaceAll(c.IdleError, "|", "\\|"), strings.Repeat(" |", len(sizes)+1))
			continue
		}
		fmt.Fprintf(b, "| %s |", c.Name)
		for _, n := range sizes {
			if bytes, measured := c.each(n); measured {
				fmt.Fprintf(b, " %.1f |", bytes/1024)
			} else {
				b.WriteString(" |")
			}
		}
		if l := c.IdleLine; l != nil {
			total, wrong := l.At(many)
			fmt.Fprintf(b, " %.1f ± %.1f | %.1f ± %.1f |\n", l.Slope/1024, l.SlopeError/1024, total/(1<<30), wrong/(1<<30))
		} else {
			b.WriteString(" – | – |\n")
		}
	}
	b.WriteString("\nThe last two columns are read off a line through all measurements (least squares), with its standard error.\n")
}
