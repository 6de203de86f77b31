package wire

import (
	"fmt"
	"slices"
	"strings"

	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/script"
)

// compareFields notes fields of the final head and of the trailer section that
// are not those asked for. Without a final head there is nothing to compare:
// how the exchange ended tells it.
func (p *player) compareFields(x *open, r *script.Receive) {
	if x.on == nil || len(r.Headers)+len(r.Trailers) == 0 {
		return
	}
	head, trailer := x.on.common().fields(x.Exchange)
	if head == nil {
		p.differs(x, "receive", "an answer with a head", "none")
		return
	}
	p.compareEach(x, "header", r.Headers, head)
	p.compareEach(x, "trailer", r.Trailers, trailer)
}

// compareEach compares the lines of each name with the lines received, in
// order; the one value "" means that there may be none.
func (p *player) compareEach(x *open, what string, want script.Headers, got []http1.Field) {
	seen := map[string]bool{}
	for _, h := range want {
		name := strings.ToLower(h.Name)
		if seen[name] {
			continue
		}
		seen[name] = true
		wanted, found := values(want, name), lines(got, name)
		if len(wanted) == 1 && wanted[0] == "" {
			wanted = nil
		}
		if !slices.Equal(wanted, found) {
			p.differs(x, "receive", fmt.Sprintf("%s %s: %s", what, h.Name, quoted(wanted)), quoted(found))
		}
	}
}

func values(hs script.Headers, name string) (list []string) {
	for _, h := range hs {
		if strings.EqualFold(h.Name, name) {
			list = append(list, h.Value)
		}
	}
	return list
}

func lines(fields []http1.Field, name string) (list []string) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			list = append(list, f.Value)
		}
	}
	return list
}

func quoted(values []string) string {
	if len(values) == 0 {
		return "absent"
	}
	return fmt.Sprintf("%.200q", values)
}
