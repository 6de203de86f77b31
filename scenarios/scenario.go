// Package scenarios holds the Scenario: a question about a target, with its
// topology, settings, scripts, load, faults and expectations, as its YAML file
// spells it; and how such a file becomes checked cases. It runs nothing and
// judges nothing by itself; the catalogue, the engine and every part a scenario
// is made of stand in packages below.
package scenarios

import (
	"strconv"
	"strings"

	"gauntlet/chaos"
	"gauntlet/fixtures/pki"
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/conform"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/slo"
	"gauntlet/scenarios/wire"
)

// A Scenario is a file. Of a Case it is what the file says after the vary
// values were put in.
type Scenario struct {
	ID       string         `yaml:"id" json:"id" jsonschema:"required,pattern=^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*$"` // family/name
	Question string         `yaml:"question" json:"question" jsonschema:"required"`                                     // what it asks of the target
	Level    expect.Level   `yaml:"level" json:"level" jsonschema:"required,enum=must,enum=should,enum=may"`
	Tags     []string       `yaml:"tags" json:"tags,omitempty"`
	Refs     []string       `yaml:"refs" json:"refs,omitempty"`         // where it comes from: issues, RFC sections, requirements
	Requires []string       `yaml:"requires" json:"requires,omitempty"` // features; a target without one is not asked
	Vary     Vary           `yaml:"vary" json:"vary,omitempty"`         // one case for every combination
	Given    Given          `yaml:"given" json:"given,omitempty"`       // settings of the target
	Timeout  units.Duration `yaml:"timeout" json:"timeout,omitempty"`   // of one case; default 60s beyond its loads and windows
	Serial   bool           `yaml:"serial" json:"serial,omitempty"`     // runs alone: its times would suffer from neighbours
	Repeat   int            `yaml:"repeat" json:"repeat,omitempty"`     // runs of each case; the finding is then a rate

	Backends []Backend         `yaml:"backends" json:"backends" jsonschema:"required"`
	Clients  []wire.Client     `yaml:"clients" json:"clients,omitempty"`
	Load     []load.Load       `yaml:"load" json:"load,omitempty"`
	During   map[string]Window `yaml:"during" json:"during,omitempty"` // windows that scripts ask about
	Faults   []Fault           `yaml:"faults" json:"faults,omitempty"`
	Actions  []Action          `yaml:"actions" json:"actions,omitempty"`

	// Checks is a table of checks by the sections of RFCs, each of which becomes a
	// client and a rule of the backends.
	Checks []conform.Row        `yaml:"checks" json:"checks,omitempty"`
	Expect []expect.Expectation `yaml:"expect" json:"expect,omitempty"`
	SLO    []slo.Objective      `yaml:"slo" json:"slo,omitempty"`
	// Unaudited leaves checks of the target's telemetry out: a check's name and why.
	Unaudited map[string]string `yaml:"unaudited" json:"unaudited,omitempty"`
	Catches   []string          `yaml:"catches" json:"catches,omitempty"` // mutants it must catch

	Failure string            `yaml:"failure" json:"failure,omitempty"` // how to read one
	Mend    map[string]string `yaml:"mend" json:"mend,omitempty"`       // by proxy: what to change
}

// Family is the part of the id before the slash.
func (s *Scenario) Family() string {
	family, _, _ := strings.Cut(s.ID, "/")
	return family
}

// Name is the part of the id behind the slash.
func (s *Scenario) Name() string {
	_, name, _ := strings.Cut(s.ID, "/")
	return name
}

// BackendCount is how many backends the scenario has.
func (s *Scenario) BackendCount() int {
	n := 0
	for _, b := range s.Backends {
		n += b.number()
	}
	return n
}

// Backend gives backend n, from 1; one that answers everything beyond the last.
func (s *Scenario) Backend(n int) Backend {
	for _, b := range s.Backends {
		if n <= b.number() {
			return b
		}
		n -= b.number()
	}
	return Backend{}
}

// A Backend is one scripted origin server, or several that are alike.
type Backend struct {
	Count    int              `yaml:"count" json:"count,omitempty"`                                       // default 1
	Protocol script.Protocol  `yaml:"protocol" json:"protocol,omitempty" jsonschema:"enum=http1,enum=h2"` // default http1; the target is told by upstream.protocol
	TLS      *TLS             `yaml:"tls" json:"tls,omitempty"`                                           // nil speaks in the clear; the target is told by upstream.tls
	Settings *script.Settings `yaml:"settings" json:"settings,omitempty"`                                 // of HTTP/2, sent first on each connection
	Script   []script.Rule    `yaml:"script" json:"script,omitempty"`
}

// TLS is what a backend shows of itself. Its name is BackendName, which the
// target is told to expect; its authority is one of the run's own.
type TLS struct {
	Certificate string `yaml:"certificate" json:"certificate,omitempty"` // good (default), or what is wrong with it, see Certificates
}

// BackendName is the name in the certificates of backends.
const BackendName = "backend.test"

// GoodCertificate is that of a backend nothing is wrong with.
const GoodCertificate = "good"

// Certificates lists what a backend may show: a good certificate, or one with a
// flaw that keeps a careful peer from talking to it.
func Certificates() []string {
	names := []string{GoodCertificate}
	for _, f := range pki.Flaws() {
		if f != pki.KeyMismatch && f != pki.WeakKey { // that no server can start with
			names = append(names, string(f))
		}
	}
	return names
}

// Flaw is what is wrong with the certificate.
func (t *TLS) Flaw() pki.Flaw {
	if t.Certificate == GoodCertificate {
		return pki.None
	}
	return pki.Flaw(t.Certificate)
}

func (b *Backend) number() int { return max(1, b.Count) }

// A Window is a stretch of the case, counted from when clients and loads begin.
type Window struct {
	From  units.Duration `yaml:"from" json:"from,omitempty"`
	Until units.Duration `yaml:"until" json:"until" jsonschema:"required"`
}

// A Fault perturbs a link for a time; without from and until, all the time.
type Fault struct {
	Name      string          `yaml:"name" json:"name,omitempty"`
	From      units.Duration  `yaml:"from" json:"from,omitempty"`
	Until     units.Duration  `yaml:"until" json:"until,omitempty"`
	Link      string          `yaml:"link" json:"link" jsonschema:"required,pattern=^(client|backend-[1-9][0-9]*)$"`
	Fault     chaos.Spec      `yaml:"fault" json:"fault" jsonschema:"required"`
	Share     float64         `yaml:"share" json:"share,omitempty"` // of the connections; 0 is all
	Direction chaos.Direction `yaml:"direction" json:"direction,omitempty"`
}

// LinkNumber gives the link as receipts number it: 0 is client to target, n is
// target to backend n. ok is false for text that names no link.
func (f *Fault) LinkNumber() (n uint16, ok bool) {
	if f.Link == "client" {
		return 0, true
	}
	digits, is := strings.CutPrefix(f.Link, "backend-")
	i, err := strconv.ParseUint(digits, 10, 16)
	return uint16(i), is && err == nil && i > 0 && digits[0] != '0'
}

// Does reports whether the fault does anything; vary may say none.
func (f *Fault) Does() bool { return f.Fault.Fault != nil && f.Fault.String() != "none" }

// Title names the fault window for people.
func (f *Fault) Title() string {
	if f.Name != "" {
		return f.Name
	}
	return f.Link + " " + f.Fault.String()
}

// An Action is done to the target or a backend, at a time or when a barrier was
// reached.
type Action struct {
	At      *script.Pause  `yaml:"at" json:"at,omitempty"`       // from the begin; a range is drawn from by the run's seed
	Await   *script.Await  `yaml:"await" json:"await,omitempty"` // or when this barrier was reached
	Do      string         `yaml:"do" json:"do" jsonschema:"required,enum=drain,enum=stop,enum=kill,enum=freeze,enum=thaw,enum=reload,enum=reload-bad,enum=reload-torn,enum=renew,enum=upgrade,enum=stop-backend,enum=kill-backend,enum=start-backend,enum=restart-backend,enum=limit-descriptors,enum=exec"`
	Backend int            `yaml:"backend" json:"backend,omitempty"` // of the acts on a backend, from 1
	Name    string         `yaml:"name" json:"name,omitempty"`       // of acts that last: their window
	For     units.Duration `yaml:"for" json:"for,omitempty"`         // of acts that last: how long
	Spare   int            `yaml:"spare" json:"spare,omitempty"`     // of limit-descriptors: how many more than it has each process may open
	Without []int          `yaml:"without" json:"without,omitempty"` // of reload: backends that are no endpoints any more, from 1

	Run    []string          `yaml:"run" json:"run,omitempty"`       // of exec: program and arguments; see Runtime
	Env    map[string]string `yaml:"env" json:"env,omitempty"`       // of exec: variables beside our own
	Within units.Duration    `yaml:"within" json:"within,omitempty"` // of exec: when it is killed, default DefaultWithin
}

// The acts.
const (
	Drain            = "drain"             // graceful stop of the target
	Stop             = "stop"              // SIGTERM to the target
	Kill             = "kill"              // SIGKILL to the target
	Freeze           = "freeze"            // SIGSTOP to the target and all that came of it
	Thaw             = "thaw"              // SIGCONT likewise
	Reload           = "reload"            // the target's own way
	ReloadBad        = "reload-bad"        // likewise, from a file that is no configuration
	ReloadTorn       = "reload-torn"       // likewise, from the first half of the file
	Renew            = "renew"             // another certificate in the place of its own, and a reload
	Upgrade          = "upgrade"           // the target's own way to have another process take its place
	StopBackend      = "stop-backend"      // the backend closes its listener and connections
	KillBackend      = "kill-backend"      // it ends without sealing its book
	StartBackend     = "start-backend"     // one that has ended is there again, where it was; it keeps another book
	RestartBackend   = "restart-backend"   // both, with a time between them
	LimitDescriptors = "limit-descriptors" // the target's processes get no more than a few descriptors beyond those they have
	Exec             = "exec"              // a command of the user's own
)

// Acts lists what an action may do.
func Acts() []string {
	return []string{Drain, Exec, Freeze, Kill, KillBackend, LimitDescriptors, Reload, ReloadBad, ReloadTorn, Renew, RestartBackend, StartBackend, Stop, StopBackend, Thaw, Upgrade}
}

// OnBackend reports whether the act is on a backend.
func (a *Action) OnBackend() bool { return strings.HasSuffix(a.Do, "-backend") }
