package expect

import (
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"gauntlet/scenarios/evidence"
)

func (r *reading) target() *object {
	t := &r.Case.Target
	o := &object{kind: r.kinds["Target"]}
	guarded := func(f func() ref.Val) ref.Val {
		if err := r.have(Process); err != nil {
			return types.WrapErr(err)
		}
		return f()
	}
	o.get = func(field string) ref.Val {
		return guarded(func() ref.Val {
			switch field {
			case "baseline":
				return r.sampleAt(t.Baseline)
			case "idle_connections":
				if len(t.Samples) == 0 {
					return types.WrapErr(untold("the target was not sampled"))
				}
				return types.Int(t.Samples[len(t.Samples)-1].Idle)
			case "crashed":
				return types.Bool(t.Crashed)
			case "replaced":
				return types.Bool(t.Replaced)
			case "exit_code":
				if t.Exited == 0 {
					return types.WrapErr(untold("the target did not exit"))
				}
				return types.Int(t.ExitCode)
			}
			return noField(field)
		})
	}
	o.methods = map[string]func([]ref.Val) ref.Val{
		"settled": func(a []ref.Val) ref.Val {
			return guarded(func() ref.Val { return r.settled(a[0]) })
		},
		"exited_within": func(a []ref.Val) ref.Val {
			return guarded(func() ref.Val {
				if t.Drained == 0 {
					return types.WrapErr(untold("no graceful stop was asked for"))
				}
				return types.Bool(t.Exited != 0 && t.Exited-t.Drained <= int64(length(a[0])))
			})
		},
	}
	return o
}

// settled is the last look at the target no later than so long after the last
// client had ended.
func (r *reading) settled(after ref.Val) ref.Val {
	end := r.Case.End
	var last *evidence.Sample
	for i := range r.Case.Target.Samples {
		s := &r.Case.Target.Samples[i]
		if s.At >= end && s.At <= end+int64(length(after)) && (last == nil || s.At > last.At) {
			last = s
		}
	}
	if last == nil {
		return types.WrapErr(untold("the target was not sampled after the clients had ended"))
	}
	return r.sampleAt(last)
}

func (r *reading) sampleAt(s *evidence.Sample) ref.Val {
	if s == nil {
		return types.WrapErr(untold("the target was not sampled"))
	}
	return &object{kind: r.kinds["Sample"], get: func(field string) ref.Val {
		switch field {
		case "descriptors":
			return types.Int(s.Descriptors)
		case "rss":
			return types.Int(s.RSS)
		case "idle":
			return types.Int(s.Idle)
		}
		if !slices.ContainsFunc(metrics(), func(m member) bool { return m.name == field }) {
			return noField(field)
		}
		if err := r.have(Metrics); err != nil {
			return types.WrapErr(err)
		}
		v, ok := s.Metrics[field]
		if !ok {
			return types.WrapErr(missing{"metric " + field})
		}
		return types.Int(int64(v))
	}}
}
