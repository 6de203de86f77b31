// Package compare says what differs between two runs: which figures changed, by
// how much and how surely. It holds the versioned model that is written as
// compare.json, and makes it of two reports and of what became of their single
// exchanges. Where those are not at hand it shows figures and claims nothing.
// It reads no evidence; how it looks is render's business.
package compare

import (
	"time"

	"gauntlet/reports"
)

// Schema names the contract of compare.json. Fields may be added under the same
// name; one that changes its meaning needs a new name.
const Schema = "gauntlet.compare/v1"

// A Word is what came of a figure, from A to B.
type Word string

// The words.
const (
	Worse   Word = "worse"   // surely, by more than the margin: a regression
	Better  Word = "better"  // surely, by more than the margin
	Same    Word = "same"    // surely within the margin
	Unclear Word = "unclear" // the interval reaches over the margin: more evidence is needed
	Untold  Word = "untold"  // nothing can be said; Why says why
)

// Words lists the words, the gravest first.
func Words() []Word { return []Word{Worse, Unclear, Untold, Better, Same} }

// A Comparison is what differs between run A and run B.
type Comparison struct {
	Schema string `json:"schema"`
	// Verdict is fail when a figure is worse, invalid when nothing at all could
	// be told, and pass otherwise.
	Verdict    reports.Verdict `json:"verdict"`
	A          Side            `json:"a"`
	B          Side            `json:"b"`
	Margin     float64         `json:"margin"`     // share of A's figure that is no regression yet
	Floor      reports.Millis  `json:"floor_ms"`   // nor is a difference of latency up to this one
	Confidence float64         `json:"confidence"` // that no interval of them all misses its figure
	Counts     map[Word]int    `json:"counts"`
	Rows       []Row           `json:"rows"` // by scenario and case
	OnlyA      []string        `json:"only_a,omitempty"`
	OnlyB      []string        `json:"only_b,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
}

// A Side is one of the runs.
type Side struct {
	Dir     string          `json:"dir"`
	Target  reports.Target  `json:"target"`
	Started time.Time       `json:"started"`
	Command string          `json:"command,omitempty"`
	Verdict reports.Verdict `json:"verdict"`
}

// A Row is one case that both runs have.
type Row struct {
	Scenario string          `json:"scenario"`
	Case     string          `json:"case,omitempty"`
	A        reports.Verdict `json:"verdict_a"`
	B        reports.Verdict `json:"verdict_b"`
	Word     Word            `json:"word"` // of the verdicts
	Figures  []Figure        `json:"figures"`
}

// A Figure is a number of both runs.
type Figure struct {
	Name string  `json:"name"` // p50, p90, p99, failed, damaged, rate
	Unit string  `json:"unit"` // ms, share or /s
	A    float64 `json:"a"`
	B    float64 `json:"b"`
	// Low and High bound the difference B − A; they stand where the word is none
	// of untold.
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
	Word Word     `json:"word"`
	Why  string   `json:"why,omitempty"`
}

// Difference is B − A.
func (f Figure) Difference() float64 { return f.B - f.A }
