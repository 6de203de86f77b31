// Package matrix holds what a selection of scenarios came to on several
// targets: the versioned model that is written as matrix.json. It is made of
// reports and judges nothing itself; how it looks is render's business.
package matrix

import (
	"time"

	"gauntlet/reports"
)

// Schema names the contract of matrix.json. Fields may be added under the same
// name; one that changes its meaning needs a new name.
const Schema = "gauntlet.matrix/v1"

// A Matrix is a table of scenarios and targets.
type Matrix struct {
	Schema      string              `json:"schema"`
	Seed        uint64              `json:"seed"`
	Started     time.Time           `json:"started"`
	Seconds     reports.Seconds     `json:"seconds"`
	Command     string              `json:"command,omitempty"` // repeats all of it
	Interrupted bool                `json:"interrupted,omitempty"`
	Targets     []Target            `json:"targets"` // the columns
	Rows        []Row               `json:"rows"`    // by scenario
	Environment reports.Environment `json:"environment"`
}

// A Target is a column.
type Target struct {
	Name    string `json:"name"` // unique among the columns
	Version string `json:"version,omitempty"`
	// Argument is what --target is given to run it again.
	Argument string `json:"argument"`
	// Described says that a target file of the user's describes it, and not an
	// adapter of ours: what its configuration loses is its own.
	Described bool `json:"described,omitempty"`
	// Default says that it is configured as its project's first page has it. What
	// that loses, a tuned configuration beside it need not.
	Default bool `json:"default,omitempty"`
	// Configuration is the file beside the matrix that shows what it was
	// configured with, or "" where there is none; ConfigSHA256 its digest.
	Configuration string          `json:"configuration,omitempty"`
	ConfigSHA256  string          `json:"config_sha256,omitempty"`
	Dir           string          `json:"dir"` // of its evidence, beside the matrix
	Seconds       reports.Seconds `json:"seconds"`
	Counts        Counts          `json:"counts"`
}

// Counts says how many scenarios came to each verdict.
type Counts map[reports.Verdict]int

// A Row is one question put to every target.
type Row struct {
	Scenario string `json:"scenario"`
	Question string `json:"question,omitempty"`
	Level    string `json:"level,omitempty"`
	Cells    []Cell `json:"cells"` // one for each target, in their order
}

// A Cell is what a scenario came to on a target.
type Cell struct {
	Verdict reports.Verdict `json:"verdict"`
	Cases   int             `json:"cases,omitempty"`
	// Troubled and Unchecked count the cases that share the verdict when it is
	// neither pass nor unsupported, and those that were not checked.
	Troubled  int `json:"troubled,omitempty"`
	Unchecked int `json:"unchecked,omitempty"`
	// Unavoidable says of an exposed one that nothing but what no proxy can
	// prevent stands behind it: it is no reason to choose another proxy.
	Unavoidable bool     `json:"unavoidable,omitempty"`
	Why         string   `json:"why,omitempty"`      // what did not hold first
	Lacks       []string `json:"lacks,omitempty"`    // what the target has not
	Evidence    string   `json:"evidence,omitempty"` // directory, beside the matrix
	Repeat      string   `json:"repeat,omitempty"`   // the command that runs it again
	Accepted    string   `json:"accepted,omitempty"` // why the owner lives with it
}

// Verdict is that of the matrix as a run: invalid when any cell is, since the
// harness could not tell there, and pass otherwise. What proxies lose is what a
// matrix is made to show.
func (m *Matrix) Verdict() reports.Verdict {
	if m.Interrupted {
		return reports.Invalid
	}
	for _, r := range m.Rows {
		for _, c := range r.Cells {
			if c.Verdict == reports.Invalid {
				return reports.Invalid
			}
		}
	}
	return reports.Pass
}
