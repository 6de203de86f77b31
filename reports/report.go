package reports

import "time"

// Schema names the contract of report.json. Fields may be added under the same
// name; one that changes its meaning needs a new name.
const Schema = "gauntlet.report/v1"

// A Report is what one run against one target came to. Who fills it gives the
// facts (cases, findings, counts) and calls Settle, which derives the rest.
type Report struct {
	Schema   string  `json:"schema"`
	Verdict  Verdict `json:"verdict"` // derived
	Target   Target  `json:"target"`
	Evidence string  `json:"evidence"` // its tier: "client + backend", "client + tap" or "client only"
	Seed     uint64  `json:"seed"`
	// Started is when the run began, as its evidence says.
	Started     time.Time   `json:"started"`
	Seconds     Seconds     `json:"seconds"`
	Command     string      `json:"command,omitempty"` // repeats the whole run
	Ledger      Ledger      `json:"ledger"`            // derived: the sum over the scenarios
	Outside     Outside     `json:"outside"`           // derived likewise
	Scenarios   []Scenario  `json:"scenarios"`
	Accepted    []Accepted  `json:"accepted"`
	Notes       []string    `json:"notes,omitempty"` // what a reader must know, such as a default that was chosen
	Environment Environment `json:"environment"`
}

// A Target says what was tested.
type Target struct {
	Name         string `json:"name"`
	Kind         string `json:"kind,omitempty"` // the adapter: reference, mutant, nginx, haproxy, file, url
	Version      string `json:"version,omitempty"`
	ConfigSHA256 string `json:"config_sha256,omitempty"` // of the configuration it ran with
}

// An Environment says where the run took place, as far as it bears on it.
type Environment struct {
	Gauntlet string `json:"gauntlet,omitempty"` // version of the harness
	Go       string `json:"go,omitempty"`
	OS       string `json:"os,omitempty"`
	Arch     string `json:"arch,omitempty"`
	Kernel   string `json:"kernel,omitempty"`
	CPUs     int    `json:"cpus,omitempty"`
	Backends string `json:"backends,omitempty"` // embedded or docker
}

// Accepted is a failure that the owner of the target knows of and lives with
// for now. It keeps a failed scenario from failing the run, until it expires;
// it never excuses one that is invalid.
type Accepted struct {
	Scenario string `json:"scenario"`
	Because  string `json:"because"`
	Until    string `json:"until,omitempty"` // a date, 2027-01-31
	Expired  bool   `json:"expired,omitempty"`
	// Verdict is derived: what the scenario came to, empty when it did not run.
	Verdict Verdict `json:"verdict,omitempty"`
}
