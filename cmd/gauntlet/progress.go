package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/term"

	"gauntlet/reports"
	"gauntlet/reports/render"
)

// A progress tells people how far a run is. Its methods may be called from
// several goroutines. Whoever made it calls Close, after which nothing is
// written any more.
type progress interface {
	// CaseStarted says that a case begins and how long it is planned to take
	// (0 = not known). name is "" where the scenario does not vary.
	CaseStarted(scenario, name string, planned time.Duration)
	// CaseDone says what a case came to, with a line about it or "".
	CaseDone(scenario, name string, verdict reports.Verdict, took time.Duration, summary string)
	// Note says something else that people should know.
	Note(text string)
	Close() error
}

// newProgress writes to f: lines that update themselves when it is a terminal,
// plain ones when not. cases is how many there will be, 0 when not known.
func newProgress(f *os.File, cases int) progress {
	fd := int(f.Fd())
	if !term.IsTerminal(fd) {
		return &plainProgress{out: f, cases: cases}
	}
	return newLiveProgress(f, cases, func() int {
		if width, _, err := term.GetSize(fd); err == nil && width > 0 {
			return width
		}
		return 80
	})
}

// slow is how long a case may be planned to take before a plain log says that
// it began.
const slow = 5 * time.Second

// plainProgress writes a line per event, for logs.
type plainProgress struct {
	mu    sync.Mutex
	out   io.Writer
	cases int
	done  int
	err   error
}

func (p *plainProgress) CaseStarted(scenario, name string, planned time.Duration) {
	if planned >= slow {
		p.line("%s: takes about %s", title(scenario, name), short(planned))
	}
}

func (p *plainProgress) CaseDone(scenario, name string, verdict reports.Verdict, took time.Duration, summary string) {
	p.mu.Lock()
	p.done++
	count := counter(p.done, p.cases)
	p.mu.Unlock()
	p.line("%s %s", count, outcome(scenario, name, verdict, took, summary, false))
}

func (p *plainProgress) Note(text string) { p.line("%s", printable(text)) }

// Close gives the first error of writing.
func (p *plainProgress) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *plainProgress) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

func title(scenario, name string) string {
	if name == "" {
		return printable(scenario)
	}
	return printable(scenario + " [" + name + "]")
}

func outcome(scenario, name string, verdict reports.Verdict, took time.Duration, summary string, color bool) string {
	s := fmt.Sprintf("%s  %s  %s", render.Mark(verdict, color), title(scenario, name), short(took))
	if summary != "" {
		s += "  " + printable(summary)
	}
	return s
}

func counter(done, cases int) string {
	if cases == 0 {
		return fmt.Sprintf("[%d]", done)
	}
	return fmt.Sprintf("[%*d/%d]", len(fmt.Sprint(cases)), done, cases)
}

func short(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// printable keeps text to one line that cannot drive a terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, s)
}
