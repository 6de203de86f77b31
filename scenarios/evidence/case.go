// Package evidence is what a run leaves behind: the layout of its directory
// and the facts about each case that no book holds. The engine writes it, the
// judge reads it and nothing else, so a verdict can be given again at any time.
// It holds no opinion on what the facts mean.
package evidence

// Times are Unix nanoseconds of the machine's clock; 0 means it never happened.

// CaseSchema names this version of Case.
const CaseSchema = "gauntlet.case/v1"

// A Case is one scenario with one combination of its vary values, run once.
type Case struct {
	Schema     string            `json:"schema"`
	Scenario   string            `json:"scenario"`
	Slug       string            `json:"slug"`
	Repetition int               `json:"repetition"`
	Run        uint64            `json:"run,string"` // the Run of every exchange id in it
	Seed       uint64            `json:"seed,string"`
	Started    int64             `json:"started"`
	Begin      int64             `json:"begin"` // windows and loads count from here
	End        int64             `json:"end"`   // the last client had ended
	Stopped    int64             `json:"stopped"`
	Sent       uint64            `json:"sent"`            // exchange ids given out
	Backends   int               `json:"backends"`        // whose books there are
	Tier       Tier              `json:"tier,omitempty"`  // ClientBackend when it is not said
	Notes      []string          `json:"notes,omitempty"` // what a reader should know
	Died       []int64           `json:"died,omitempty"`  // when backend n, at index n-1, was known to be dead because an action had killed it
	Again      []Life            `json:"again,omitempty"` // backends that were started again, in the order in which they were
	Gone       []int             `json:"gone,omitempty"`  // backends that ended while nobody had asked them to
	Groups     []Group           `json:"groups,omitempty"`
	Names      map[string]uint64 `json:"names,omitempty"` // exchange name → sequence number
	Windows    map[string]Window `json:"windows,omitempty"`
	Faults     []Fault           `json:"faults,omitempty"`
	Loads      []Load            `json:"loads,omitempty"`
	Settings   map[string]string `json:"settings,omitempty"` // effective in the target
	Machine    Machine           `json:"machine,omitzero"`
	Target     Target            `json:"target"`
	Mismatches []Mismatch        `json:"mismatches,omitempty"`
	Limits     []Limit           `json:"limits,omitempty"`
	Commands   []Command         `json:"commands,omitempty"`
	Requests   []Request         `json:"requests,omitempty"` // that reached a backend, where checks ask what they said
	Answers    []Answer          `json:"answers,omitempty"`  // that clients received, likewise

	// Unsupported names what the target lacks; such a case was not run.
	Unsupported []string `json:"unsupported,omitempty"`
	// Errors are the harness's own failures; such a case is invalid.
	Errors []string `json:"errors,omitempty"`
}

// Machine is what else the machine did between Begin and End. The zero value
// says that nobody looked.
type Machine struct {
	// Others is the share of its CPU time, 0 to 1, that neither the harness nor
	// the target used.
	Others float64 `json:"others"`
	// Pressure is the share of the time, 0 to 1, in which somebody waited for a
	// CPU (/proc/pressure/cpu); 1 where the kernel does not tell.
	Pressure float64 `json:"pressure"`
}

// Busy says that others used so much of a machine without CPU to spare that
// nobody can tell whose fault a delay was.
func (m Machine) Busy() bool { return m.Others >= 0.25 && m.Pressure >= 0.5 }

// A Life is another start of a backend that had ended; its book is of its own.
type Life struct {
	Backend int   `json:"backend"`        // its number, from 1
	From    int64 `json:"from"`           // it accepts connections again
	Died    int64 `json:"died,omitempty"` // when the life before was known to be dead because an action had killed it
}

// A Group is one client or load of the scenario; book.Client.Group indexes it.
type Group struct {
	Name string `json:"name"`
	Load bool   `json:"load"`
}

// A Window is when something acted, as it truly was.
type Window struct {
	From  int64 `json:"from"`
	Until int64 `json:"until"`
}

// A Fault is one fault window of the scenario; book.Receipt.Window numbers it
// from 1.
type Fault struct {
	Name  string `json:"name"`
	Link  string `json:"link"`
	Fault string `json:"fault"`
	Window
	// Opened says that the window came about while the clients ran.
	Opened bool `json:"opened"`
}

// A Load is what was offered.
type Load struct {
	Name       string  `json:"name"`
	Planned    uint64  `json:"planned"`
	Sent       uint64  `json:"sent"`
	Late       uint64  `json:"late"`              // started more than 10 ms after the plan
	Starved    uint64  `json:"starved,omitempty"` // of these, those that had not to wait for a worker: the generator was late
	MaxLateNS  int64   `json:"max_late_ns"`
	MaxWorkers uint64  `json:"max_workers"`
	Offered    float64 `json:"offered"`          // Sent / Planned
	Sealed     uint64  `json:"sealed,omitempty"` // answers that were held against their seals
}

// Target is what the harness saw of the target's process.
type Target struct {
	Name      string   `json:"name"`
	PID       int      `json:"pid,omitempty"`
	Telemetry []string `json:"telemetry,omitempty"` // "traces", "metrics", "access_log", "otlp_metrics", "otlp_logs": what it exports
	Traces    bool     `json:"traces"`              // spans are complete: it ended in order
	Drained   int64    `json:"drained,omitempty"`   // when a graceful stop was asked for
	Exited    int64    `json:"exited,omitempty"`
	ExitCode  int      `json:"exit_code"`
	Killed    bool     `json:"killed,omitempty"`   // by SIGKILL: it could not flush
	Crashed   bool     `json:"crashed"`            // it ended while nobody had asked it to
	Replaced  bool     `json:"replaced,omitempty"` // another process took its place, as an upgrade asked
	Reloaded  bool     `json:"reloaded,omitempty"` // it was told to read its configuration again
	Baseline  *Sample  `json:"baseline,omitempty"`
	Samples   []Sample `json:"samples,omitempty"`
	// Quiet is the last look, when everything that the clients sent had been
	// counted or the time for it was over. It is nil when the target had ended.
	Quiet *Sample `json:"quiet,omitempty"`
	// Rested says that its last stop was a graceful one, and that it ended by
	// itself then: it finished what it had under way and told of it.
	Rested bool `json:"rested,omitempty"`
	Says   Says `json:"says,omitzero"`
}

// Says tells how to read what the target says of its exchanges.
type Says struct {
	// Log is its access log, below its directory; "" when it keeps none.
	Log string `json:"log,omitempty"`
	// ErrorLog is the log of what went wrong, likewise. Its lines about exchanges
	// name trace and span.
	ErrorLog string `json:"error_log,omitempty"`
	// LogTraces says that each line names the trace and the span, and tells an
	// answer that was cut from one that was not.
	LogTraces bool `json:"log_traces,omitempty"`
	// Sampled says that it exports the traces of some exchanges only.
	Sampled bool `json:"sampled,omitempty"`
	// Fields names what the members of a line say, where a target file tells.
	Fields Fields `json:"fields,omitzero"`
	// ErrorRecords says that its records by OTLP which are no lines of the access
	// log tell what went wrong, and name trace and server span.
	ErrorRecords bool `json:"error_records,omitempty"`
	// Words maps our words (pool_leased, inflight, …) to its metrics by OTLP.
	Words map[string]Gauge `json:"words,omitempty"`
	// Meter names what counts exchanges when they end.
	Meter Meter `json:"meter,omitzero"`
}

// A Gauge names a metric and the labels its series must have.
type Gauge struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
}

// Has reports whether a series with these labels is one of them.
func (g Gauge) Has(label func(name string) string) bool {
	for name, want := range g.Labels {
		if label(name) != want {
			return false
		}
	}
	return true
}

// A Meter names the metrics that count the exchanges of a target.
type Meter struct {
	Requests string `json:"requests,omitempty"` // counter; "" when there is none
	Duration string `json:"duration,omitempty"` // histogram, in seconds
	Method   string `json:"method,omitempty"`   // label; "" when it has none
	Code     string `json:"code,omitempty"`     // label: 200, or a class such as 2xx
	Route    string `json:"route,omitempty"`    // label, as spans say http.route
	Class    string `json:"class,omitempty"`    // label, as spans say gauntlet.error.class
	Attempts string `json:"attempts,omitempty"` // counter of tries on endpoints; "" when there is none
	Outcome  string `json:"outcome,omitempty"`  // its label: 2xx, or as spans say error.type
	Errors   string `json:"errors,omitempty"`   // counter of answers of 500 and above
	Unit     string `json:"unit,omitempty"`     // of Duration: s, ms, us or ns; "" is s
	// Declared says that a target file names all this: a name that nothing has
	// may be a slip of its author's.
	Declared bool `json:"declared,omitempty"`
	// Own are the labels of Duration, where a target file names them apart.
	Own *Labels `json:"own,omitempty"`
	// Where holds what the series of a metric must be labelled, by the role of the
	// metric: requests, durations, errors or attempts.
	Where map[string]map[string]string `json:"where,omitempty"`
}

// Labels names the labels of a metric; "" is one that it has not.
type Labels struct {
	Method string `json:"method,omitempty"`
	Code   string `json:"code,omitempty"`
	Route  string `json:"route,omitempty"`
	Class  string `json:"class,omitempty"`
}

// Fields names the members of a line of the access log. What is "" is looked
// for under the names that are usual.
type Fields struct {
	Status   string `json:"status,omitempty"`
	Method   string `json:"method,omitempty"`
	Route    string `json:"route,omitempty"`
	Trace    string `json:"trace,omitempty"`
	Span     string `json:"span,omitempty"`
	Failed   string `json:"failed,omitempty"`
	Bytes    string `json:"bytes,omitempty"`
	Duration string `json:"duration,omitempty"`
	Unit     string `json:"unit,omitempty"` // of Duration: s, ms, us or ns
}

// A Limit is the receipt of an action that kept the target short of descriptors.
type Limit struct {
	Action int `json:"action"` // its number among the actions, from 1
	Window
	Spare     int `json:"spare"`     // that each process could still open
	Processes int `json:"processes"` // that were kept short
	Reached   int `json:"reached"`   // of them, that were seen with nothing left
}

// A Command is what came of an action that ran one.
type Command struct {
	Action   int      `json:"action"` // its number among the actions, from 1
	Run      []string `json:"run"`    // as the scenario has it, nothing put in
	Log      string   `json:"log"`    // what it printed, below the case's directory
	From     int64    `json:"from"`
	Until    int64    `json:"until"`
	ExitCode int      `json:"exit_code"`        // -1 when a signal ended it
	Signal   int      `json:"signal,omitempty"` // that ended it
	Late     bool     `json:"late,omitempty"`   // it was killed because its time was up
}

// A Sample is one look at the target's process and metrics.
type Sample struct {
	At          int64              `json:"at"`
	Descriptors int                `json:"descriptors"`
	RSS         int64              `json:"rss"` // bytes
	Idle        int                `json:"idle"`
	Metrics     map[string]float64 `json:"metrics,omitempty"`
}

// Sealed begins the Step of what is not as it was sealed; what it was follows
// (fixtures/seal).
const Sealed = "sealed "

// A Mismatch is a scripted read, or a sealed message, that got something else.
type Mismatch struct {
	Party    string `json:"party"`
	Exchange uint64 `json:"exchange,omitempty"`
	Step     string `json:"step"`
	Want     string `json:"want"`
	Got      string `json:"got"`
}
