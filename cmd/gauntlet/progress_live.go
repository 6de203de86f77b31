package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"gauntlet/reports"
)

const (
	redraw     = 200 * time.Millisecond
	mostActive = 6 // lines of cases under way; more would push the results out of sight
)

// liveProgress keeps the cases under way at the foot of a terminal and lets
// finished ones scroll up. One goroutine redraws the foot; Close ends it.
type liveProgress struct {
	mu     sync.Mutex
	out    io.Writer
	width  func() int
	cases  int
	done   int
	began  time.Time
	active []activeCase
	foot   int // lines drawn below the results
	err    error

	stop  chan struct{}
	owner sync.WaitGroup
	once  sync.Once
}

type activeCase struct {
	scenario, name string
	began          time.Time
	planned        time.Duration
}

func newLiveProgress(out io.Writer, cases int, width func() int) *liveProgress {
	p := &liveProgress{out: out, width: width, cases: cases, began: time.Now(), stop: make(chan struct{})}
	p.owner.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.draw()
			case <-p.stop:
				return
			}
		}
	})
	return p
}

func (p *liveProgress) CaseStarted(scenario, name string, planned time.Duration) {
	p.mu.Lock()
	p.active = append(p.active, activeCase{scenario, name, time.Now(), planned})
	p.mu.Unlock()
	p.draw()
}

func (p *liveProgress) CaseDone(scenario, name string, verdict reports.Verdict, took time.Duration, summary string) {
	p.mu.Lock()
	p.done++
	if i := slices.IndexFunc(p.active, func(a activeCase) bool { return a.scenario == scenario && a.name == name }); i >= 0 {
		p.active = slices.Delete(p.active, i, i+1)
	}
	p.mu.Unlock()
	p.draw(outcome(scenario, name, verdict, took, summary, true))
}

func (p *liveProgress) Note(text string) { p.draw(printable(text)) }

// Close takes the foot away and gives the first error of writing.
func (p *liveProgress) Close() error {
	p.once.Do(func() {
		close(p.stop)
		p.owner.Wait()
		p.mu.Lock()
		p.active = nil
		p.cases, p.done = 0, 0
		p.mu.Unlock()
		p.draw()
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// draw replaces the foot, with results above it that stay.
func (p *liveProgress) draw(results ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	var b strings.Builder
	if p.foot > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.foot) // up to where the foot begins
	}
	b.WriteString("\r\x1b[J") // and clear from there
	for _, r := range results {
		b.WriteString(r + "\n")
	}
	foot := p.footLines(p.width())
	for _, l := range foot {
		b.WriteString(l + "\n")
	}
	p.foot = len(foot)
	_, p.err = io.WriteString(p.out, b.String())
}

// footLines are cut to the width: a line that wraps would be two when the
// foot is taken away.
func (p *liveProgress) footLines(width int) (lines []string) {
	now := time.Now()
	for i, a := range p.active {
		if i == mostActive {
			lines = append(lines, fmt.Sprintf("  and %d more", len(p.active)-i))
			break
		}
		l := "  " + title(a.scenario, a.name) + "  " + short(now.Sub(a.began))
		if a.planned > 0 {
			l += " of about " + short(a.planned)
		}
		lines = append(lines, l)
	}
	if len(p.active) > 0 || p.done > 0 {
		lines = append(lines, counter(p.done, p.cases)+" "+short(now.Sub(p.began)))
	}
	for i, l := range lines {
		if r := []rune(l); len(r) >= width {
			lines[i] = string(r[:max(width-1, 0)])
		}
	}
	return lines
}
