package scenarios

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gauntlet/fixtures/script"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/decode"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/wire"
)

var (
	idPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*$`)
	tagPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// bounds of a scenario: what a machine can run, and what a typo exceeds.
const (
	maxBackends = 64
	maxClients  = 1024
	maxRepeat   = 10_000
)

// A validation checks what types cannot: that the parts of a scenario fit
// together. Every problem is reported, each in its place.
type validation struct {
	*decode.Document
	s *Scenario
}

func (v *validation) say(bad bool, path, format string, args ...any) {
	if bad {
		v.Reject(path, fmt.Sprintf(format, args...))
	}
}

func (v *validation) all() {
	v.head()
	v.backends()
	v.owned()
	v.traffic()
	v.windows()
	v.faults()
	v.actions()
	v.checks()
	v.barriers()
	v.judged()
}

func (v *validation) head() {
	s := v.s
	for _, key := range []string{"id", "question", "level", "backends"} {
		v.say(!v.Has(key), key, "found nothing; allowed: a value, it is required")
	}
	v.say(v.Has("id") && !idPattern.MatchString(s.ID), "id", "found %q; allowed: family/name of lower-case letters, digits and -", s.ID)
	v.say(v.Has("question") && strings.TrimSpace(s.Question) == "", "question", "found nothing; allowed: a question about the target")
	v.say(v.Has("level") && !s.Level.Known(), "level", "found %q; allowed: must, should, may", string(s.Level))
	for i, tag := range s.Tags {
		v.say(!tagPattern.MatchString(tag), decode.Index("tags", i), "found %q; allowed: lower-case letters, digits and -", tag)
	}
	for i, f := range s.Requires {
		v.say(!slices.Contains(Features(), f), decode.Index("requires", i), "found %q; allowed: %s", f, strings.Join(Features(), ", "))
	}
	for i, c := range s.Catches {
		v.say(!tagPattern.MatchString(c), decode.Index("catches", i), "found %q; allowed: the name of a mutant, or any", c)
	}
	for _, check := range slices.Sorted(maps.Keys(s.Unaudited)) {
		at := "unaudited." + check
		v.say(!slices.Contains(audit.Names(), check), at, "is no check of telemetry; allowed: %s", strings.Join(audit.Names(), ", "))
		v.say(strings.TrimSpace(s.Unaudited[check]) == "", at, "found nothing; allowed: why it is left out")
	}
	v.say(v.Has("repeat") && (s.Repeat < 1 || s.Repeat > maxRepeat), "repeat", "found %d; allowed: 1 to %d", s.Repeat, maxRepeat)
	v.say(v.Has("timeout") && s.Timeout <= 0, "timeout", "found %s; allowed: a time above 0s", s.Timeout)
}

func (v *validation) backends() {
	for i, b := range v.s.Backends {
		at := decode.Index("backends", i)
		v.say(v.Has(at+".count") && (b.Count < 1 || b.Count > maxBackends), at+".count", "found %d; allowed: 1 to %d", b.Count, maxBackends)
		v.spoken(at, &v.s.Backends[i])
		if b.Protocol.Known() {
			reportAll(v.Document, script.Validate(b.Script, b.Protocol, at+".script"))
		}
		for k, rule := range b.Script {
			v.phases(fmt.Sprintf("%s.script[%d].when", at, k), rule.When)
		}
	}
	n := v.s.BackendCount()
	v.say(v.Has("backends") && n == 0, "backends", "found none; allowed: at least one")
	v.say(n > maxBackends, "backends", "found %d; allowed: 1 to %d", n, maxBackends)
	endpoints, given := v.s.Given["upstream.endpoints"]
	v.say(given && endpoints != "" && endpoints != fmt.Sprint(n), "given", "upstream.endpoints is %s and there are %d backends; allowed: as many as backends", endpoints, n)
}

func (v *validation) traffic() {
	s := v.s
	v.say(len(s.Clients) == 0 && len(s.Load) == 0 && !v.Has("checks"), "", "found neither clients nor load; allowed: at least one of them")
	reportAll(v.Document, wire.Validate(s.Clients, "clients"))
	reportAll(v.Document, load.Validate(s.Load, "load"))
	total := 0
	names := map[string]bool{}
	for _, c := range s.Clients {
		total += max(1, c.Times)
		names[c.Name] = c.Name != ""
	}
	v.dialled()
	v.say(total > maxClients, "clients", "found %d clients; allowed: %d together", total, maxClients)
	for i, l := range s.Load {
		v.say(names[l.Name], decode.Index("load", i)+".name", "%q is the name of a client too; allowed: one of its own", l.Name)
	}
}

// judged checks that there is something to judge, and the objectives.
func (v *validation) judged() {
	s := v.s
	v.say(len(s.Expect) == 0 && len(s.SLO) == 0 && !v.Has("checks"), "", "found neither expect nor slo; allowed: at least one of them, a run that checks nothing proves nothing")
	for i := range s.SLO {
		o := &s.SLO[i]
		at := decode.Index("slo", i)
		for _, wrong := range o.Check(s.Loads(), s.Windows()) {
			v.Reject(at, wrong)
		}
		v.say(o.Level != "" && !expect.Level(o.Level).Known(), at+".level", "found %q; allowed: must, should, may", o.Level)
	}
	seen := map[string]int{}
	for i, e := range s.Expect {
		first, twice := seen[e.That]
		v.say(twice, decode.Index("expect", i), "the same statement stands in expect[%d]", first)
		seen[e.That] = i
	}
}
