package reports

// A Scenario is what one question came to, over all its cases.
type Scenario struct {
	ID       string     `json:"id"` // family/name
	Question string     `json:"question,omitempty"`
	Level    string     `json:"level"` // must, should or may
	Tags     []string   `json:"tags,omitempty"`
	Refs     []string   `json:"refs,omitempty"` // RFC sections and issues it comes from
	Verdict  Verdict    `json:"verdict"`        // derived
	Accepted string     `json:"accepted,omitempty"`
	Seconds  Seconds    `json:"seconds"`
	Ledger   Ledger     `json:"ledger"`  // derived: the sum over the cases
	Outside  Outside    `json:"outside"` // derived likewise
	Latency  *LatencyMS `json:"latency_ms,omitempty"`
	Findings []Finding  `json:"findings"`
	Faults   []Fault    `json:"faults"`
	// Unsupported names what the target lacks, such as "setting
	// upstream.pool.max_connections", "feature http2" or "traces". Settle adds
	// what the findings miss.
	Unsupported []string          `json:"unsupported,omitempty"`
	Failure     string            `json:"failure,omitempty"` // how to read one
	Mend        map[string]string `json:"mend,omitempty"`    // by proxy: nginx, haproxy, envoy, go
	Repeat      string            `json:"repeat,omitempty"`  // the command that runs it again
	Cases       []Case            `json:"cases,omitempty"`
}

// A Case is a scenario run with one combination of what it varies.
type Case struct {
	Name      string         `json:"name"`    // unique in its scenario; "" where nothing varies
	Verdict   Verdict        `json:"verdict"` // derived from the findings that name the case
	Seconds   Seconds        `json:"seconds"`
	Ledger    Ledger         `json:"ledger"`
	FailedAs  map[string]int `json:"failed_as,omitempty"` // honest failures by how the client saw them: "502", "reset"
	Outside   Outside        `json:"outside"`
	Latency   *LatencyMS     `json:"latency_ms,omitempty"`
	Series    []Series       `json:"series,omitempty"`
	Exchanges []Exchange     `json:"exchanges,omitempty"`         // damaged ones and those findings name
	Omitted   int            `json:"exchanges_omitted,omitempty"` // how many more of these there are
	Log       []string       `json:"log,omitempty"`               // lines of the target's log that matter: its last words after a crash
	Evidence  string         `json:"evidence,omitempty"`          // directory, relative to the report
	Repeat    string         `json:"repeat,omitempty"`            // the command that runs it again
}

// A Finding is a statement that had to hold, and what came of it.
type Finding struct {
	Case      string   `json:"case,omitempty"` // name of the case it was judged in
	That      string   `json:"that"`           // the statement
	Verdict   Verdict  `json:"verdict"`
	Because   string   `json:"because,omitempty"`           // why it must hold
	Detail    string   `json:"detail,omitempty"`            // what went wrong in words, such as an evaluation error
	Values    []Value  `json:"values,omitempty"`            // operands, in the order of the statement
	Exchanges []string `json:"exchanges,omitempty"`         // ids of those concerned
	Omitted   int      `json:"exchanges_omitted,omitempty"` // how many more there are
	Missing   []string `json:"missing,omitempty"`           // of an unsupported one: what the target lacks
	// Unavoidable says of an exposed one that no proxy could have prevented it.
	Unavoidable bool `json:"unavoidable,omitempty"`
}

// A Value is an operand of a failed statement.
type Value struct {
	Of string `json:"of"`
	Is string `json:"is"`
}

// LatencyMS sums up latencies from the intended start, in milliseconds.
type LatencyMS struct {
	Count int    `json:"count"`
	P50   Millis `json:"p50"`
	P90   Millis `json:"p90"`
	P95   Millis `json:"p95"`
	P99   Millis `json:"p99"`
	Max   Millis `json:"max"`
}

// A Fault is a window of a case and whether it truly touched anything. Times
// count from the start of the case's traffic.
type Fault struct {
	Case   string  `json:"case,omitempty"`
	Window string  `json:"window,omitempty"` // its name, where it has one
	Link   string  `json:"link,omitempty"`   // client, backend-1 …
	Fault  string  `json:"fault,omitempty"`  // "latency(20ms±5ms)"; empty for a window that only steers scripts
	From   Seconds `json:"from_seconds"`
	Until  Seconds `json:"until_seconds"` // 0 when it never closed
	// Receipts counts the connections it touched, Exchanges the answers on them
	// that it changed, which only a fault on answers does.
	Receipts  int `json:"receipts"`
	Exchanges int `json:"exchanges,omitempty"`
}
