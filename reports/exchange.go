package reports

// An Exchange is one request worth a look and all that came of it.
type Exchange struct {
	ID      string   `json:"id"` // as `gauntlet trace DIR ID` takes it
	Name    string   `json:"name,omitempty"`
	Outcome string   `json:"outcome"`
	Why     string   `json:"why,omitempty"`     // the rule that gave the outcome, in words
	Request string   `json:"request,omitempty"` // "POST /orders"
	Status  int      `json:"status,omitempty"`  // as the client read it
	Trace   string   `json:"trace,omitempty"`   // trace id, 32 hexadecimal digits
	Moments []Moment `json:"moments,omitempty"` // in order of time
	Repeat  string   `json:"repeat,omitempty"`  // the command that shows its time line again
}

// A Moment is something one party recorded of an exchange.
type Moment struct {
	At    Millis `json:"at_ms"`            // since the exchange began; negative before
	For   Millis `json:"for_ms,omitempty"` // how long it lasted; 0 for an instant
	Party string `json:"party"`            // client, target, backend-1 …, or fault
	What  string `json:"what"`
	Wrong bool   `json:"wrong,omitempty"` // this is where it went wrong
}

// A Series shows a load over time, in equal steps from its start.
type Series struct {
	Name   string  `json:"name"`         // of the load
	From   Seconds `json:"from_seconds"` // its start, since the case's traffic began
	Step   Seconds `json:"step_seconds"`
	Points []Point `json:"points"`
}

// A Point is one step of a series, by intended start.
type Point struct {
	Sent    int    `json:"sent"`
	Failed  int    `json:"failed"`  // honestly
	Damaged int    `json:"damaged"` // or unknown
	P50     Millis `json:"p50_ms"`
	P99     Millis `json:"p99_ms"`
	Max     Millis `json:"max_ms"`
}
