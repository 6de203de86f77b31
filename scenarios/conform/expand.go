package conform

import (
	"fmt"
	"slices"
	"strings"

	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/script"
	"gauntlet/scenarios/wire"
)

// fenced names the request behind that of a row, on the same connection.
func (r *Row) fenced() string { return r.Name + "/fence" }

// Clients gives one client for each row. HTTP/2 is spoken under TLS, by ALPN, as
// every target can that speaks it at all; and then every row's client has TLS,
// since a target has one port.
func Clients(rows []Row) []wire.Client {
	var all []wire.Client
	secure := slices.ContainsFunc(rows, func(r Row) bool { return r.Protocol == script.H2 })
	for i := range rows {
		c := rows[i].client()
		if secure {
			c.TLS = &wire.TLS{}
		}
		all = append(all, c)
	}
	return all
}

// client gives the row's client. A fence tells without waiting whether anything
// more was read out of what the row has sent: the target answers in order, so
// that an answer to it comes behind all others.
func (r *Row) client() wire.Client {
	c := wire.Client{Name: r.Name, Protocol: string(r.Protocol)}
	if r.Answer != nil {
		c.Do = well()
	}
	switch {
	case r.Do != nil:
		c.Do = append(c.Do, r.fronted(r.Do)...)
	case r.Send.Step != nil:
		c.Do = append(c.Do, script.Step{Send: r.marked(r.Send.Step), As: r.Name}, script.Step{Receive: &script.Receive{}})
	default:
		c.Do = append(c.Do, script.Step{Write: &script.Write{Text: r.filled(r.Send.Raw)}, As: r.Name}, script.Step{Receive: &script.Receive{}})
	}
	if r.Fence {
		c.Do = append(c.Do, script.Step{Send: &script.Send{Method: "GET", Path: "/fence"}, As: r.fenced()}, script.Step{Receive: &script.Receive{}})
	}
	return c
}

// well is a request that is served, on a connection of its own. It goes before
// each row whose backend has an answer of its own: a table of broken answers is
// then never more than half of what a breaker sees.
func well() []script.Step {
	return []script.Step{{Send: &script.Send{Method: "GET", Path: "/well"}}, {Receive: &script.Receive{}}, {Close: true}}
}

// fronted gives steps in which ${front} stands for what it means.
func (r *Row) fronted(steps []script.Step) []script.Step {
	out := make([]script.Step, len(steps))
	for i, s := range steps {
		switch {
		case s.Write != nil:
			w := *s.Write
			w.Text = r.filled(w.Text)
			s.Write = &w
		case s.Send != nil && s.As == r.Name:
			s.Send = r.marked(s.Send)
		}
		out[i] = s
	}
	return out
}

// The names of lines of a head that stand for others: frontOf for Front, usualOf
// for the pseudo-fields of a request that has nothing against it, whose method is
// the line's value, GET without one.
const (
	frontOf = "front"
	usualOf = "usual"
)

// usual gives the pseudo-fields of an ordinary request (RFC 9113 §8.3.1).
func usual(method string) script.Headers {
	if method == "" {
		method = "GET"
	}
	return script.Headers{{Name: ":method", Value: method}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "gauntlet"}, {Name: ":path", Value: "/a"}}
}

func (r *Row) lines(hs script.Headers) script.Headers {
	var out script.Headers
	for _, h := range hs {
		out = append(out, script.Header{Name: h.Name, Value: r.filled(h.Value)})
	}
	return out
}

// marked gives a send step that names its row.
func (r *Row) marked(s *script.Send) *script.Send {
	m := *s
	m.Path = r.filled(s.Path)
	if len(s.Head) == 0 {
		m.Headers = append([]script.Header{{Name: Header, Value: r.Name}}, r.lines(s.Headers)...)
		return &m
	}
	m.Head = nil
	for _, h := range r.lines(s.Head) {
		switch h.Name {
		case frontOf:
			m.Head = append(m.Head, script.Header{Name: strings.ToLower(exchange.Header), Value: "${id}"}, script.Header{Name: strings.ToLower(Header), Value: r.Name})
		case usualOf:
			m.Head = append(m.Head, usual(h.Value)...)
		default:
			m.Head = append(m.Head, h)
		}
	}
	return &m
}

// Rules gives the rules by which a backend answers the rows that say how.
func Rules(rows []Row) []script.Rule {
	var rules []script.Rule
	for i := range rows {
		if r := &rows[i]; r.Answer != nil {
			rules = append(rules, script.Rule{When: fmt.Sprintf("header[%q] == %q", strings.ToLower(Header), r.Name), Do: r.fronted(r.Answer.steps())})
		}
	}
	return rules
}
