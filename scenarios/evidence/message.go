package evidence

import "gauntlet/fixtures/http1"

// A Request is what a backend was asked, whole or not, as it came. What is long
// is cut.
type Request struct {
	Backend  int           `json:"backend"`
	Exchange uint64        `json:"exchange,omitempty"` // 0 when it names none of the run
	Method   string        `json:"method,omitempty"`
	Target   string        `json:"target,omitempty"`
	Version  string        `json:"version,omitempty"` // 1.0, 1.1 or 2
	Fields   []http1.Field `json:"fields,omitempty"`  // with the pseudo-fields of HTTP/2
	Body     string        `json:"body,omitempty"`
	Bytes    int64         `json:"bytes,omitempty"` // of the whole body
	Trailers []http1.Field `json:"trailers,omitempty"`
	Whole    bool          `json:"whole,omitempty"` // its end came
	Bad      string        `json:"bad,omitempty"`   // why the backend could not understand it
}

// An Answer is what a client was told beside what its book says, likewise.
type Answer struct {
	Exchange uint64        `json:"exchange"`
	Fields   []http1.Field `json:"fields,omitempty"`
	Body     string        `json:"body,omitempty"`
	Trailers []http1.Field `json:"trailers,omitempty"`
	Interim  []int         `json:"interim,omitempty"` // the statuses of the 1xx answers before it
}
