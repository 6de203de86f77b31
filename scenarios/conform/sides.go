package conform

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/strict"
)

// The words for what a client may see.
const (
	// Refused: a status of 400 or more, or no answer and an end of the connection
	// or stream that the client can see.
	Refused = "refused"
	// Closed: no answer, and such an end.
	Closed = "closed"
	// Answered by anybody: a whole final answer, whatever its status.
	Whole = "whole"
	// Failed: a status of 500 or more, or an answer that the client can see is cut.
	Failed = "failed"
)

// ClientWords lists them.
func ClientWords() []string { return []string{Refused, Closed, Whole, Failed} }

// Client is what the client may see. Of fields see Fields.
type Client struct {
	Is       string   `json:"is,omitempty"`     // one of ClientWords
	Status   Statuses `json:"status,omitempty"` // one of these, and a whole answer
	Fields   Fields   `json:"fields,omitempty"`
	Body     *string  `json:"body,omitempty"`
	Bytes    *int64   `json:"bytes,omitempty"` // of the body
	Trailers Fields   `json:"trailers,omitempty"`
	Interim  *[]int   `json:"interim,omitempty"` // the 1xx answers, in their order
	Close    *bool    `json:"close,omitempty"`   // the answer says that the connection ends
}

// Statuses is one status or several. In YAML one may stand alone.
type Statuses []int

// UnmarshalYAML reads both forms.
func (s *Statuses) UnmarshalYAML(n ast.Node) error {
	if _, ok := strict.Scalar(n); ok {
		*s = Statuses{0}
		return strict.Node(n, &(*s)[0])
	}
	return strict.Node(n, (*[]int)(s))
}

// JSONSchema describes both forms.
func (Statuses) JSONSchema() *jsonschema.Schema {
	status := &jsonschema.Schema{Type: "integer"}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{status, {Type: "array", Items: status}}}
}

// UnmarshalYAML reads a word, a status, a list of them, or a map.
func (c *Client) UnmarshalYAML(n ast.Node) error {
	*c = Client{}
	if text, ok := strict.Scalar(n); ok {
		if status, err := strconv.Atoi(text); err == nil {
			c.Status = Statuses{status}
		} else {
			c.Is = text
		}
		return nil
	}
	if _, ok := strict.Plain(n).(*ast.SequenceNode); ok {
		return strict.Node(n, &c.Status)
	}
	type plain Client
	return strict.Node(n, (*plain)(c))
}

// Fields are what fields of a message must say, by name: a value; "" that it is
// absent, * that it is there, !value that it says anything else, ~expression that
// it matches. Several lines of one name count as one list (RFC 9110 §5.3).
type Fields map[string]string

// The words for what backends may have seen of the exchange.
const (
	Nothing    = "nothing"    // not a byte
	Unfinished = "unfinished" // nothing, or one request whose end never came or that nobody can understand
	Once       = "once"       // one whole request
	AtMostOnce = "at-most-once"
)

// BackendWords lists them.
func BackendWords() []string { return []string{Nothing, Unfinished, Once, AtMostOnce} }

// Backend is what backends may have seen. Anything but a word asks for one whole
// request that reads so.
type Backend struct {
	Is       string  `json:"is,omitempty"` // one of BackendWords; default Once
	Method   string  `json:"method,omitempty"`
	Target   string  `json:"target,omitempty"`
	Version  string  `json:"version,omitempty"` // 1.0, 1.1 or 2
	Fields   Fields  `json:"fields,omitempty"`
	Body     *string `json:"body,omitempty"`
	Bytes    *int64  `json:"bytes,omitempty"` // of the body
	Trailers Fields  `json:"trailers,omitempty"`
}

// UnmarshalYAML reads a word, or a map.
func (b *Backend) UnmarshalYAML(n ast.Node) error {
	*b = Backend{}
	if text, ok := strict.Scalar(n); ok {
		b.Is = text
		return nil
	}
	type plain Backend
	return strict.Node(n, (*plain)(b))
}
