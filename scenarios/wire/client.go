package wire

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"gauntlet/fixtures/script"
	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
)

// A Client is one scripted client of a scenario.
type Client struct {
	Name     string         `json:"name,omitempty"`
	Times    int            `json:"times,omitempty"`    // how many run it at the same time; default 1
	After    Names          `json:"after,omitempty"`    // begins when every client of these names has ended
	Loop     *Loop          `json:"loop,omitempty"`     // repeats Do
	Protocol string         `json:"protocol,omitempty"` // http1 (default; http/1.1 is the same), http/1.0 for requests that do not say, or h2
	TLS      *TLS           `json:"tls,omitempty"`      // default: in the clear
	Deadline units.Duration `json:"deadline,omitempty"` // of each exchange; default that of the run
	Cookies  bool           `json:"cookies,omitempty"`  // sends back what the answers that it received have set
	Do       []script.Step  `json:"do"`
}

// A Loop says how often a client repeats its steps: Times, or until something
// happens, or whichever comes first.
type Loop struct {
	Times int    `json:"times,omitempty"`
	Until string `json:"until,omitempty"` // closed: the peer announced or did it after an answer; renewed: it showed another certificate than at first
}

// Names is a list of names. In YAML one name may stand alone.
type Names []string

// UnmarshalYAML reads both forms.
func (ns *Names) UnmarshalYAML(n ast.Node) error {
	if name, ok := strict.Scalar(n); ok {
		*ns = Names{name}
		return nil
	}
	return strict.Node(n, (*[]string)(ns))
}

// JSONSchema describes both forms.
func (Names) JSONSchema() *jsonschema.Schema {
	name := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{name, {Type: "array", Items: name}}}
}

func (c *Client) times() int { return max(1, c.Times) }

// Validate reports every misuse in the clients of a scenario, as
// strict.Problems whose paths begin with path ("clients[0].do[1]").
func Validate(clients []Client, path string) error {
	var ps strict.Problems
	say := func(i int, field, format string, args ...any) {
		ps = append(ps, strict.Problem{Path: fmt.Sprintf("%s[%d].%s", path, i, field), Text: fmt.Sprintf(format, args...)})
	}
	named := map[string]int{}
	for i := range clients {
		c := &clients[i]
		if j, ok := named[c.Name]; ok && c.Name != "" {
			say(i, "name", "%q is the name of %s[%d] too; allowed: one of its own", c.Name, path, j)
		}
		named[c.Name] = i
		c.validate(func(field, format string, args ...any) { say(i, field, format, args...) })
		ps.Add(nil, script.ValidateSteps(c.Do, script.ClientSide, c.spoken(), fmt.Sprintf("%s[%d].do", path, i)))
	}
	for i, c := range clients {
		for _, name := range c.After {
			if _, ok := named[name]; !ok || name == "" {
				say(i, "after", "no client is named %q; allowed: %s", name, strings.Join(clientNames(clients), ", "))
			} else if waits(clients, named, named[name], i, map[int]bool{}) {
				say(i, "after", "waits for itself by way of %q; allowed: an order without a circle", name)
			}
		}
	}
	ps = append(ps, twice(clients, path)...)
	return ps.Err()
}

func (c *Client) validate(say func(field, format string, args ...any)) {
	if c.Times < 0 {
		say("times", "%d clients; allowed: 1 and more", c.Times)
	}
	if l := c.Loop; l != nil {
		if l.Until != "" && l.Until != "closed" && l.Until != "renewed" {
			say("loop.until", "%q; allowed: closed, renewed", l.Until)
		}
		if l.Until == "renewed" && (c.TLS == nil || l.Times == 0) {
			say("loop.until", "renewed without tls and times; allowed: beside tls, and times for a certificate that stays the same")
		}
		if l.Times < 0 || l.Times == 0 && l.Until == "" {
			say("loop.times", "%d; allowed: 1 and more, or until", l.Times)
		}
	}
	switch c.Protocol {
	case "", "http1", "http/1.1", "http/1.0", "h2":
	default:
		say("protocol", "%q; allowed: http1, http/1.1, http/1.0, h2", c.Protocol)
	}
	c.TLS.Validate(say)
	if len(c.Do) == 0 {
		say("do", "found no step; allowed: at least one")
	}
	if c.Loop != nil && c.Loop.Until != "" && c.Loop.Until != "renewed" && !slices.ContainsFunc(script.Flatten(c.Do), func(s script.Step) bool { return s.Receive != nil }) {
		say("do", "a loop without receive never learns that the connection closed")
	}
}

func (c *Client) h2() bool { return c.Protocol == string(script.H2) }

// spoken is the protocol by which its steps are understood.
func (c *Client) spoken() script.Protocol {
	if c.h2() {
		return script.H2
	}
	return script.HTTP1
}

// hosts lists the hosts that its requests name.
func (c *Client) hosts() (hosts []string) {
	for _, s := range script.Flatten(c.Do) {
		if s.Send != nil && s.Send.Host != "" {
			hosts = append(hosts, s.Send.Host)
		}
	}
	return hosts
}

func clientNames(clients []Client) (names []string) {
	for _, c := range clients {
		if c.Name != "" {
			names = append(names, c.Name)
		}
	}
	return names
}

// waits reports whether client i is client j or waits for it. Seen holds the
// clients that have been looked at.
func waits(clients []Client, named map[string]int, i, j int, seen map[int]bool) bool {
	if i == j {
		return true
	}
	if seen[i] {
		return false
	}
	seen[i] = true
	return slices.ContainsFunc(clients[i].After, func(name string) bool {
		next, ok := named[name]
		return ok && waits(clients, named, next, j, seen)
	})
}

// twice reports exchange names that would not name one exchange.
func twice(clients []Client, path string) (ps strict.Problems) {
	seen := map[string]bool{}
	for i, c := range clients {
		for _, s := range script.Flatten(c.Do) {
			if s.As == "" {
				continue
			}
			text := ""
			switch {
			case c.times() > 1:
				text = fmt.Sprintf("as: %q in a client with times: %d names several exchanges", s.As, c.Times)
			case c.Loop != nil:
				text = fmt.Sprintf("as: %q in a loop names several exchanges", s.As)
			case seen[s.As]:
				text = fmt.Sprintf("as: %q names another exchange already; allowed: a name of its own", s.As)
			}
			seen[s.As] = true
			if text != "" {
				ps = append(ps, strict.Problem{Line: s.Pos.Line, Col: s.Pos.Col, Path: fmt.Sprintf("%s[%d].do", path, i), Text: text})
			}
		}
	}
	return ps
}
