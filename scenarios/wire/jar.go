package wire

import (
	"slices"
	"strings"

	"gauntlet/fixtures/http1"
)

// maxCookies bounds what a client remembers.
const maxCookies = 64

// A jar is the cookies of one client: pairs of name=value in the order in which
// their names came first. It belongs to one goroutine. There is one target, so
// domains, paths and times are left aside, but for Max-Age=0, which takes a
// cookie back (RFC 6265 §5.2.2).
type jar []string

// keep takes what an answer sets.
func (j *jar) keep(head []http1.Field) {
	for _, f := range head {
		if !strings.EqualFold(f.Name, "Set-Cookie") {
			continue
		}
		pair, attributes, _ := strings.Cut(f.Value, ";")
		pair = strings.TrimSpace(pair)
		name, _, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		at := slices.IndexFunc(*j, func(have string) bool { return strings.HasPrefix(have, name+"=") })
		switch back := takenBack(attributes); {
		case at < 0 && !back && len(*j) < maxCookies:
			*j = append(*j, pair)
		case at >= 0 && back:
			*j = slices.Delete(*j, at, at+1)
		case at >= 0:
			(*j)[at] = pair
		}
	}
}

func takenBack(attributes string) bool {
	for one := range strings.SplitSeq(attributes, ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(one), "="); strings.EqualFold(name, "Max-Age") {
			return value == "0" || strings.HasPrefix(value, "-")
		}
	}
	return false
}

// fill adds the cookies to a request that names none itself.
func (j jar) fill(r *Request) {
	if len(j) > 0 && !has(r.Fields, "Cookie") {
		r.Fields = append(r.Fields, http1.Field{Name: "Cookie", Value: strings.Join(j, "; ")})
	}
}
