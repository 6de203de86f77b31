package conform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gauntlet/fixtures/http1"
)

// String tells what is allowed.
func (w *Way) String() string {
	var parts []string
	if w.Client != nil {
		parts = append(parts, "client "+w.Client.String())
	}
	if w.Backend != nil {
		parts = append(parts, "backend "+w.Backend.String())
	}
	return strings.Join(parts, " and ")
}

func (c *Client) String() string {
	var parts []string
	if c.Is != "" {
		parts = append(parts, c.Is)
	}
	for _, s := range c.Status {
		parts = append(parts, fmt.Sprint(s))
	}
	if len(c.Status) > 1 {
		parts = []string{strings.Join(parts, "/")}
	}
	parts = append(parts, said("", c.Fields)...)
	parts = append(parts, content(c.Body, c.Bytes)...)
	parts = append(parts, said("trailer ", c.Trailers)...)
	if c.Interim != nil {
		parts = append(parts, fmt.Sprintf("after %v", *c.Interim))
	}
	if c.Close != nil {
		parts = append(parts, map[bool]string{true: "announcing the end", false: "announcing no end"}[*c.Close])
	}
	return strings.Join(parts, ", ")
}

func (b *Backend) String() string {
	parts := []string{b.Is}
	if b.Is == "" {
		parts[0] = Once
	}
	for _, text := range []string{b.Method, b.Target} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if b.Version != "" {
		parts = append(parts, "HTTP/"+b.Version)
	}
	parts = append(parts, said("", b.Fields)...)
	parts = append(parts, content(b.Body, b.Bytes)...)
	return strings.Join(append(parts, said("trailer ", b.Trailers)...), ", ")
}

func content(body *string, bytes *int64) (parts []string) {
	if body != nil {
		parts = append(parts, fmt.Sprintf("body %.40q", *body))
	}
	if bytes != nil {
		parts = append(parts, fmt.Sprintf("%d bytes", *bytes))
	}
	return parts
}

func said(what string, fields Fields) (parts []string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch v := fields[name]; v {
		case "":
			parts = append(parts, "no "+what+name)
		case present:
			parts = append(parts, what+name)
		default:
			parts = append(parts, fmt.Sprintf("%s%s: %.60q", what, name, v))
		}
	}
	return parts
}

// String tells what both sides saw.
func (s *sight) String() string {
	var b strings.Builder
	b.WriteString("the client ")
	switch {
	case s.client.Status != 0:
		fmt.Fprintf(&b, "got %d (%s, %d bytes)", s.client.Status, s.client.End, s.client.RespBytes)
	default:
		fmt.Fprintf(&b, "got no answer (%s)", s.client.End)
	}
	if s.answer != nil {
		if len(s.answer.Interim) > 0 {
			fmt.Fprintf(&b, " after %v", s.answer.Interim)
		}
		b.WriteString(lines(s.answer.Fields))
	}
	if len(s.requests) == 0 {
		b.WriteString(", no backend saw anything")
	}
	for _, r := range s.requests {
		fmt.Fprintf(&b, ", backend %d saw %q", r.Backend, r.Method+" "+r.Target+" HTTP/"+r.Version)
		b.WriteString(lines(r.Fields))
		if r.Bytes > 0 {
			fmt.Fprintf(&b, " and %d bytes %.40q", r.Bytes, r.Body)
		}
		if len(r.Trailers) > 0 {
			b.WriteString(" and trailers" + lines(r.Trailers))
		}
		switch {
		case r.Bad != "":
			b.WriteString(", which it cannot understand: " + r.Bad)
		case !r.Whole:
			b.WriteString(", whose end never came")
		}
	}
	return b.String()
}

// lines writes fields, those that every exchange has aside.
func lines(fields []http1.Field) string {
	const shown = 12
	var all []string
	for _, f := range fields {
		switch strings.ToLower(f.Name) {
		case "x-gauntlet-id", "x-gauntlet-check", "x-gauntlet-body", "traceparent", "date", "server":
			continue
		}
		if len(all) == shown {
			all = append(all, "…")
			break
		}
		all = append(all, fmt.Sprintf("%s: %.60q", f.Name, f.Value))
	}
	if len(all) == 0 {
		return ""
	}
	return " [" + strings.Join(all, ", ") + "]"
}
