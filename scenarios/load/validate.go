package load

import (
	"fmt"
	"strings"
	"time"

	"gauntlet/fixtures/script"
	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
)

// Validate reports every misuse in the loads of a scenario, as strict.Problems
// whose paths begin with path ("load[0].ramp.to").
func Validate(loads []Load, path string) error {
	var ps strict.Problems
	named := map[string]int{}
	for i := range loads {
		l := &loads[i]
		say := func(bad bool, field, format string, args ...any) {
			if bad {
				ps = append(ps, strict.Problem{Path: fmt.Sprintf("%s[%d].%s", path, i, field), Text: fmt.Sprintf(format, args...)})
			}
		}
		j, taken := named[l.Name]
		say(taken && l.Name != "", "name", "%q is the name of %s[%d] too; allowed: one of its own", l.Name, path, j)
		named[l.Name] = i
		before := len(ps)
		l.shape(say)
		l.what(say)
		l.TLS.Validate(func(field, format string, args ...any) { say(true, field, format, args...) })
		if len(ps) == before {
			say(l.hits() > MaxHits || l.hits() < 1, "for", "%.0f requests; allowed: 1 to %d", l.hits(), MaxHits)
		}
	}
	return ps.Err()
}

type sayer = func(bad bool, field, format string, args ...any)

// maxTime bounds a load's times.
const maxTime = units.Duration(30 * 24 * time.Hour)

// maxSteps bounds the stairs of one load.
const maxSteps = 1_000_000

// shape checks when requests are offered.
func (l *Load) shape(say sayer) {
	say(l.For <= 0 || l.For > maxTime, "for", "%s; allowed: a time above 0, up to %s", l.For, maxTime)
	say(l.From > maxTime, "from", "%s; allowed: up to %s", l.From, maxTime)
	say(l.Rate < 0 || l.Rate == 0 && l.Burst == nil, "rate", "%s; allowed: a rate above 0, like 300/s", l.Rate)
	var shapes []string
	for name, is := range map[string]bool{"ramp": l.Ramp != nil, "step": l.Step != nil, "burst": l.Burst != nil, "sine": l.Sine != nil} {
		if is {
			shapes = append(shapes, name)
		}
	}
	say(len(shapes) > 1, "rate", "shaped in %d ways; allowed: one of ramp, step, burst, sine", len(shapes))
	if l.Ramp != nil {
		say(l.Ramp.To <= 0, "ramp.to", "%s; allowed: a rate above 0", l.Ramp.To)
	}
	if l.Step != nil {
		say(l.Step.By <= 0, "step.by", "%s; allowed: a rate above 0", l.Step.By)
		say(l.Step.Every <= 0, "step.every", "%s; allowed: a time above 0", l.Step.Every)
		say(l.Step.Every > 0 && l.For/l.Step.Every > maxSteps, "step.every", "%d steps; allowed: %d", l.For/max(1, l.Step.Every), maxSteps)
	}
	if l.Burst != nil {
		say(l.Burst.Size <= 0, "burst.size", "%d; allowed: 1 and more", l.Burst.Size)
		say(l.Burst.Every <= 0, "burst.every", "%s; allowed: a time above 0", l.Burst.Every)
	}
	if l.Sine != nil {
		say(l.Sine.Amplitude <= 0 || l.Sine.Amplitude >= l.Rate, "sine.amplitude", "%s around %s; allowed: above 0 and below the rate", l.Sine.Amplitude, l.Rate)
		say(l.Sine.Period <= 0, "sine.period", "%s; allowed: a time above 0", l.Sine.Period)
	}
	say(l.MaxWorkers < 0, "max_workers", "%d; allowed: 1 and more", l.MaxWorkers)
}

// what checks what is offered.
func (l *Load) what(say sayer) {
	say(l.Request != nil && l.Mix != nil, "mix", "beside request; allowed: one of them")
	if l.Request != nil {
		steps := []script.Step{{Send: l.Request}}
		if err := script.ValidateSteps(steps, script.ClientSide, script.HTTP1, ""); err != nil {
			say(true, "request", "%s", strings.TrimPrefix(err.Error(), "[0]: "))
		}
	}
	l.Abandon.check("abandon", say)
	if l.Mix != nil {
		say(l.Abandon != nil && l.Mix.Abandon != nil, "mix.abandon", "beside the load's own; allowed: one of them")
		l.Mix.check(say)
	}
}

func (a *Abandon) check(field string, say sayer) {
	if a == nil {
		return
	}
	share(a.Share, field+".share", say)
	say(a.After != nil && a.After.Min > a.After.Max, field+".after", "the larger first; allowed: the smaller first")
}

func share(s float64, field string, say sayer) {
	say(!(s >= 0 && s <= 1), field, "%v; allowed: a share from 0 to 1", s)
}

func (m *Mix) check(say sayer) {
	m.Abandon.check("mix.abandon", say)
	for _, o := range m.Method {
		steps := []script.Step{{Send: &script.Send{Method: o.Value}}}
		say(script.ValidateSteps(steps, script.ClientSide, script.HTTP1, "") != nil || o.Value == "" || o.Value == "CONNECT", "mix.method", "%q; allowed: a method token but CONNECT", o.Value)
	}
	for _, o := range m.Path {
		say(o.Value != "legal" && (!strings.HasPrefix(o.Value, "/") || strings.ContainsAny(o.Value, " \r\n")), "mix.path", "%q; allowed: legal, or a path that begins with / and holds no space or line break", o.Value)
	}
	if b := m.Body; b != nil {
		share(b.Chunked, "mix.body.chunked", say)
		share(b.Deletes, "mix.body.deletes", say)
		share(b.Trailers, "mix.body.trailers", say)
	}
	if f := m.Fields; f != nil {
		counts(f.Count, "mix.fields.count", say)
		counts(f.Cookies, "mix.fields.cookies", say)
		lengths(f.Long, "mix.fields.long", say)
	}
	a := m.Answer
	if a == nil {
		return
	}
	share(a.Chunked, "mix.answer.chunked", say)
	share(a.Trailers, "mix.answer.trailers", say)
	share(a.EarlyHints, "mix.answer.early_hints", say)
	for _, o := range a.Status {
		say(o.Value < 200 || o.Value > 599, "mix.answer.status", "%d; allowed: 200 to 599", o.Value)
	}
	counts(a.Cookies, "mix.answer.cookies", say)
	counts(a.Fields, "mix.answer.fields", say)
	lengths(a.Long, "mix.answer.long", say)
	say(a.After != nil && a.After.Min > a.After.Max, "mix.answer.after", "the larger first; allowed: the smaller first")
}

// maxLong bounds one field, far above what proxies take by default.
const maxLong = units.Size(64 << 10)

func counts(c Choice[int], field string, say sayer) {
	for _, o := range c {
		say(o.Value < 0 || o.Value > 100, field, "%d; allowed: 0 to 100", o.Value)
	}
}

func lengths(c Choice[units.Size], field string, say sayer) {
	for _, o := range c {
		say(o.Value < 0 || o.Value > maxLong, field, "%s; allowed: 0 to %s", o.Value, maxLong)
	}
}
