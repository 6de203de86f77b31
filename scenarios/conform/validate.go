package conform

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gauntlet/fixtures/script"
	"gauntlet/fixtures/strict"
	"gauntlet/scenarios/expect"
)

var (
	namePattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	sectionPattern = regexp.MustCompile(`^RFC [0-9]{3,5} §[0-9A-Z]+(\.[0-9]+)*$`)
)

// maxRows bounds a table: each row is a connection of its own.
const maxRows = 200

// Validate reports every misuse in the rows of a scenario, as strict.Problems
// whose paths begin with path ("checks[1].allow[0]"). Spoken is what its
// backends speak.
func Validate(rows []Row, spoken script.Protocol, path string) error {
	v := validation{seen: map[string]int{}, spoken: spoken}
	v.at = path
	v.say(len(rows) > maxRows, "", "found %d rows; allowed: at most %d", len(rows), maxRows)
	for i := range rows {
		v.at = fmt.Sprintf("%s[%d]", path, i)
		v.row(i, &rows[i])
	}
	return v.problems.Err()
}

type validation struct {
	problems strict.Problems
	seen     map[string]int
	spoken   script.Protocol
	at       string
}

func (v *validation) say(bad bool, field, format string, args ...any) {
	if bad {
		v.problems = append(v.problems, strict.Problem{Path: strings.TrimSuffix(v.at+"."+field, "."), Text: fmt.Sprintf(format, args...)})
	}
}

func (v *validation) row(i int, r *Row) {
	first, twice := v.seen[r.Name]
	v.say(!namePattern.MatchString(r.Name), "name", "found %q; allowed: lower-case letters, digits and -", r.Name)
	v.say(twice, "name", "%q is the name of row %d too; allowed: one of its own", r.Name, first)
	v.seen[r.Name] = i
	v.say(!sectionPattern.MatchString(r.Section), "section", "found %q; allowed: as in RFC 9112 §6.1", r.Section)
	v.say(r.Level != "" && !r.Level.Known(), "level", "found %q; allowed: must, should, may", string(r.Level))
	v.say(strings.TrimSpace(r.Because) == "", "because", "found nothing; allowed: what the section says")
	v.say(!r.Protocol.Known(), "protocol", "found %q; allowed: %s", string(r.Protocol), strings.Join(script.Protocols(), ", "))
	v.sends(r)
	if r.Answer != nil {
		v.problems.Add(nil, script.ValidateSteps(r.Answer.steps(), script.BackendSide, v.spoken, v.at+".answer"))
	}
	v.say(len(r.Allow) == 0, "allow", "found nothing; allowed: at least one thing that may come of it")
	for k := range r.Allow {
		v.way(fmt.Sprintf("allow[%d]", k), &r.Allow[k])
	}
}

func (v *validation) sends(r *Row) {
	v.say((r.Send == nil) == (r.Do == nil), "", "found %s; allowed: one of send, do", map[bool]string{true: "neither send nor do", false: "both send and do"}[r.Send == nil])
	if (r.Send == nil) == (r.Do == nil) {
		return
	}
	if r.Send != nil {
		raw := r.Send.Raw
		if r.Send.Step == nil && r.Protocol == script.H2 {
			v.say(true, "send", "found raw bytes on h2; allowed: a map, as of the step send")
			return
		}
		v.say(r.Send.Step == nil && !strings.Contains(raw, Front), "send", "found no %s; allowed: with it, for else no backend knows whose request it is", Front)
		v.problems.Add(nil, script.ValidateSteps(r.client().Do, script.ClientSide, r.Protocol, v.at+".send"))
		return
	}
	steps := script.Flatten(r.Do)
	named := slices.ContainsFunc(steps, func(s script.Step) bool { return s.As == r.Name })
	v.say(len(r.Do) > 0 && !named, "do", "no step begins the exchange %q; allowed: as: %s beside a send or write", r.Name, r.Name)
	v.problems.Add(nil, script.ValidateSteps(r.client().Do, script.ClientSide, r.Protocol, v.at+".do"))
}

func (v *validation) way(at string, w *Way) {
	v.say(w.Client == nil && w.Backend == nil, at, "found nothing; allowed: client, backend or both")
	if c := w.Client; c != nil {
		v.say(c.Is != "" && !slices.Contains(ClientWords(), c.Is), at+".client", "found %q; allowed: a status, %s, or a map", c.Is, strings.Join(ClientWords(), ", "))
		v.fields(at+".client.fields", c.Fields)
		v.fields(at+".client.trailers", c.Trailers)
		for _, s := range c.Status {
			v.say(s < 101 || s > 599, at+".client", "found status %d; allowed: 101 to 599", s)
		}
	}
	if b := w.Backend; b != nil {
		v.say(b.Is != "" && !slices.Contains(BackendWords(), b.Is), at+".backend", "found %q; allowed: %s, or a map", b.Is, strings.Join(BackendWords(), ", "))
		v.fields(at+".backend.fields", b.Fields)
		v.fields(at+".backend.trailers", b.Trailers)
		v.say((b.Is == Nothing || b.Is == Unfinished || b.Is == AtMostOnce) && b.reads(), at+".backend", "found what a request says beside %q; allowed: with %s", b.Is, Once)
		v.say(b.Version != "" && b.Version != "1.0" && b.Version != "1.1" && b.Version != "2", at+".backend", "found version %q; allowed: 1.0, 1.1, 2", b.Version)
	}
}

// fields checks the expressions among what fields must say.
func (v *validation) fields(at string, fields Fields) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if expression, is := strings.CutPrefix(fields[name], "~"); is {
			_, err := regexp.Compile(expression)
			v.say(err != nil, at+"."+name, "found %q, which is no regular expression: %v", expression, err)
		}
	}
}

// reads reports whether anything is said of what the request says.
func (b *Backend) reads() bool {
	return b.Method != "" || b.Target != "" || b.Version != "" || len(b.Fields) > 0 || b.Body != nil || b.Bytes != nil || len(b.Trailers) > 0
}

// Levels counts the rows by level, of a scenario of that level.
func Levels(rows []Row, of expect.Level) map[expect.Level]int {
	n := map[expect.Level]int{}
	for i := range rows {
		n[rows[i].level(of)]++
	}
	return n
}
