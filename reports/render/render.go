// Package render shows a report to people and to the tools they use: text for
// a terminal, HTML for a browser, Markdown for a pull request, JUnit for a CI
// server, JSON for programs. One file per format; each is a pure function of
// the report, so that the same report gives the same bytes. Nothing here
// judges: a number or verdict that a format shows comes from the model.
package render

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"gauntlet/reports"
)

// ErrFormat says that no format has the name asked for.
var ErrFormat = errors.New("no such report format")

// Options adjust what is shown, never what is said.
type Options struct {
	Color  bool   // text: mark verdicts with ANSI colours
	Width  int    // text: columns of the terminal; 0 = unlimited
	Strict bool   // junit: exposed counts as a failure
	Dir    string // text, markdown: the run's directory, named as the place to look further
}

type format struct {
	name, file string
	write      func(io.Writer, *reports.Report, Options) error
}

// The order is the one in which formats are listed to people.
func formats() []format {
	return []format{
		{"text", "report.txt", Text},
		{"html", "report.html", func(w io.Writer, r *reports.Report, _ Options) error { return HTML(w, r) }},
		{"json", "report.json", func(w io.Writer, r *reports.Report, _ Options) error { return reports.Encode(w, r) }},
		{"junit", "report.xml", JUnit},
		{"md", "report.md", Markdown},
	}
}

// Formats lists the names Write takes.
func Formats() (names []string) {
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// FileName gives the name under which a format is kept in the run's directory.
func FileName(name string) (string, error) {
	f, err := find(name)
	return f.file, err
}

// Write renders the report in the format of that name. An unknown name is
// ErrFormat, a report that does not add up reports.ErrInvalid.
func Write(w io.Writer, name string, r *reports.Report, o Options) error {
	f, err := find(name)
	if err != nil {
		return err
	}
	if err := r.Validate(); err != nil {
		return err
	}
	return f.write(w, r, o)
}

func find(name string) (format, error) {
	all := formats()
	i := slices.IndexFunc(all, func(f format) bool { return f.name == name })
	if i < 0 {
		return format{}, fmt.Errorf("%w: %q; allowed: %q", ErrFormat, name, Formats())
	}
	return all[i], nil
}
