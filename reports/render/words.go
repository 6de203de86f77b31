package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gauntlet/reports"
)

// grouped writes a number with its thousands apart: 9,588.
func grouped(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// plural writes "1 case", "2 cases".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + one + "s"
}

// millis writes a latency as people read one: 0.84 ms, 12 ms, 1.25 s.
func millis(m reports.Millis) string {
	switch v := float64(m); {
	case v >= 9999.5:
		return fmt.Sprintf("%.1f s", v/1000)
	case v >= 999.5:
		return fmt.Sprintf("%.2f s", v/1000)
	case v >= 9.995:
		return fmt.Sprintf("%.0f ms", v)
	case v >= 0.9995:
		return fmt.Sprintf("%.1f ms", v)
	default:
		return fmt.Sprintf("%.3g ms", v)
	}
}

func seconds(s reports.Seconds) string {
	switch v := float64(s); {
	case v >= 599.5:
		return fmt.Sprintf("%.0f min", v/60)
	case v >= 99.95:
		return fmt.Sprintf("%.0f s", v)
	default:
		return fmt.Sprintf("%.1f s", v)
	}
}

// kind is the word under which a scenario is counted and shown: its verdict,
// but a failure that was accepted is "accepted".
func kind(s reports.Scenario) string {
	if s.Verdict == reports.Fail && s.Accepted != "" {
		return "accepted"
	}
	return string(s.Verdict)
}

func label(kind string) string {
	if kind == string(reports.Unsupported) {
		return "NOT CHECKED"
	}
	return strings.ToUpper(kind)
}

// kinds lists the words of kind, the gravest first.
func kinds() []string {
	return []string{"fail", "invalid", "exposed", "accepted", "pass", "unsupported"}
}

func countKinds(r *reports.Report) map[string]int {
	n := make(map[string]int)
	for _, s := range r.Scenarios {
		n[kind(s)]++
	}
	return n
}

// A lack is something a target or a run did not have, and the scenarios that
// could not be checked for want of it.
type lack struct {
	Name      string
	Scenarios []string
}

// lacks lists what kept whole scenarios from being checked, the most frequent
// first.
func lacks(r *reports.Report) (all []lack) {
	by := make(map[string][]string)
	for _, s := range r.Scenarios {
		if s.Verdict != reports.Unsupported {
			continue
		}
		for _, name := range s.Unsupported {
			by[name] = append(by[name], s.ID)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		all = append(all, lack{name, by[name]})
	}
	slices.SortStableFunc(all, func(a, b lack) int { return cmp.Compare(len(b.Scenarios), len(a.Scenarios)) })
	return all
}

// tally is the line "PASS 41 · EXPOSED 3 · NOT CHECKED 19 (11: no setting x)".
func tally(r *reports.Report) string {
	n := countKinds(r)
	var parts []string
	for _, k := range []string{"pass", "exposed", "accepted", "fail", "invalid", "unsupported"} {
		if n[k] > 0 {
			parts = append(parts, label(k)+" "+grouped(n[k]))
		}
	}
	if len(parts) == 0 {
		return "nothing was checked"
	}
	return strings.Join(parts, " · ") + why(lacks(r), 3)
}

func why(all []lack, most int) string {
	var parts []string
	for i, l := range all {
		if i == most {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, grouped(len(l.Scenarios))+": no "+l.Name)
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// headline says in a sentence or two what the verdict rests on.
func headline(r *reports.Report) string {
	n := countKinds(r)
	checked := len(r.Scenarios) - n["unsupported"]
	var s string
	switch {
	case checked == 0:
		return "Nothing was checked."
	case n["fail"] > 0:
		s = fmt.Sprintf("%s of %s failed.", grouped(n["fail"]), plural(checked, "scenario"))
	case n["invalid"] > 0:
		s = fmt.Sprintf("%s of %s could not be judged.", grouped(n["invalid"]), plural(checked, "scenario"))
	case n["exposed"]+n["accepted"] > 0:
		s = fmt.Sprintf("Nothing failed that counts; %s of %s warn.", grouped(n["exposed"]+n["accepted"]), plural(checked, "scenario"))
	case checked == 1:
		s = "The one scenario checked passed."
	default:
		s = fmt.Sprintf("All %s scenarios checked passed.", grouped(checked))
	}
	switch l := r.Ledger; {
	case l.Damaged() > 0 && n["fail"]+n["exposed"]+n["accepted"] == 0:
		s += fmt.Sprintf(" %s of %s were damaged, which is not held against the target.", grouped(l.Damaged()), plural(l.Sent, "request"))
	case l.Damaged() > 0:
		s += fmt.Sprintf(" %s of %s were damaged.", grouped(l.Damaged()), plural(l.Sent, "request"))
	case l.Unknown() > 0:
		s += fmt.Sprintf(" Of %s it is unknown what became.", plural(l.Unknown(), "request"))
	case l.Sent > 0:
		s += fmt.Sprintf(" Every one of %s is accounted for.", plural(l.Sent, "request"))
	}
	return s
}
