// Package conform holds the rows of a scenario's table of checks: each sends one
// request, says what the backend answers, and lists what may come of it on both
// sides, by the section of an RFC. A row becomes a client of its own and a rule
// of the backends; it is judged by itself, with a level of its own. Nothing here
// runs traffic; that is the business of those who run clients and backends.
package conform

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/script"
	"gauntlet/fixtures/strict"
	"gauntlet/scenarios/expect"
)

// A Row is one check. Exactly one of Send and Do says what the client does; in
// Do it is the exchange named by `as: <the row's name>` that is judged.
type Row struct {
	Name     string          `json:"name"`               // of the row, unique in the table
	Section  string          `json:"section"`            // where it is written: RFC 9112 §6.1
	Level    expect.Level    `json:"level,omitempty"`    // default: the scenario's
	Because  string          `json:"because"`            // what the section says, in our words
	Protocol script.Protocol `json:"protocol,omitempty"` // of the client; default http1
	Send     *Sent           `json:"send,omitempty"`
	Do       []script.Step   `json:"do,omitempty"`
	Answer   *Answered       `json:"answer,omitempty"` // of the backend; default: 200 with a generated body
	Fence    bool            `json:"fence,omitempty"`  // another request on the same connection, which must get its own answer
	Allow    []Way           `json:"allow"`            // what may come of it: one of them must
}

// A Way is one thing that may come of a row. What it leaves out may be anything.
type Way struct {
	Client  *Client  `json:"client,omitempty"`
	Backend *Backend `json:"backend,omitempty"`
}

// Sent is what the client sends: raw bytes, in which ${id} is the exchange's id
// and ${front} are the field lines by which a backend knows exchange and row; or
// a send step, to which those are added.
type Sent struct {
	Raw  string       `json:"raw,omitempty"`
	Step *script.Send `json:"step,omitempty"`
}

// UnmarshalYAML reads raw bytes, or the map of a send step.
func (s *Sent) UnmarshalYAML(n ast.Node) error {
	*s = Sent{}
	if text, ok := strict.Scalar(n); ok {
		s.Raw = text
		return nil
	}
	s.Step = &script.Send{}
	return strict.Node(n, s.Step)
}

// JSONSchema describes both forms.
func (Sent) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "object", Description: "As the step send."}}}
}

// Answered is what the backend does with a row's request: raw bytes written when
// the request has been read, or steps.
type Answered struct {
	Raw   string        `json:"raw,omitempty"`
	Steps []script.Step `json:"steps,omitempty"`
}

// UnmarshalYAML reads raw bytes, or a list of steps.
func (a *Answered) UnmarshalYAML(n ast.Node) error {
	*a = Answered{}
	if text, ok := strict.Scalar(n); ok {
		a.Raw = text
		return nil
	}
	return strict.Node(n, &a.Steps)
}

// JSONSchema describes both forms.
func (Answered) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "array", Description: "As the steps of a backend."}}}
}

// steps gives what the backend does.
func (a *Answered) steps() []script.Step {
	if a.Steps != nil {
		return a.Steps
	}
	return []script.Step{{Read: &script.Read{Until: script.UntilRequest}}, {Write: &script.Write{Text: a.Raw}}}
}

// level gives the row's level, of a scenario of that level.
func (r *Row) level(of expect.Level) expect.Level {
	if r.Level != "" {
		return r.Level
	}
	return of
}

// Title names the row for people.
func (r *Row) Title() string { return fmt.Sprintf("%s (%s)", r.Name, r.Section) }

// Sections lists the sections of the rows, each once, in their order.
func Sections(rows []Row) (all []string) {
	for i := range rows {
		if !slices.Contains(all, rows[i].Section) {
			all = append(all, rows[i].Section)
		}
	}
	return all
}
