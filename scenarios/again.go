package scenarios

import "slices"

// StartsAgain reports whether an action starts backend n again after its end; 0
// stands for any.
func (s *Scenario) StartsAgain(n int) bool {
	return slices.ContainsFunc(s.Actions, func(a Action) bool {
		return (a.Do == StartBackend || a.Do == RestartBackend) && (n == 0 || a.Backend == n)
	})
}

// Before gives the index of the action on the same backend that stands before
// action i; -1 for none. Actions on one backend are done in their order.
func (s *Scenario) Before(i int) int {
	a := &s.Actions[i]
	if !a.OnBackend() {
		return -1
	}
	for k := i - 1; k >= 0; k-- {
		if b := &s.Actions[k]; b.OnBackend() && b.Backend == a.Backend {
			return k
		}
	}
	return -1
}

// maxSpare bounds the descriptors that are left to a target that is to lack them.
const maxSpare = 10_000

// Lasts reports whether the act has an end as well as a beginning.
func (a *Action) Lasts() bool { return a.Do == RestartBackend || a.Do == LimitDescriptors }

// lasting checks what acts that last are told, and that no other is.
func (v *validation) lasting(at string, a *Action) {
	const lasting = LimitDescriptors + ", " + RestartBackend
	v.say(a.Spare != 0 && a.Do != LimitDescriptors, at+".spare", "stands beside %s; allowed: only with %s", a.Do, LimitDescriptors)
	v.say(a.Spare < 0 || a.Spare > maxSpare, at+".spare", "found %d; allowed: 0 to %d", a.Spare, maxSpare)
	if !a.Lasts() {
		v.say(a.For != 0, at+".for", "stands beside %s; allowed: only with %s", a.Do, lasting)
		v.say(a.Name != "", at+".name", "stands beside %s; allowed: only with %s", a.Do, lasting)
		return
	}
	v.say(a.For <= 0, at+".for", "found %s; allowed: a time above 0s, for which %s lasts", a.For, a.Do)
}

// again checks that only a backend that has ended is started, and only one that
// is there is ended to be started again.
func (v *validation) again(at string, i int) {
	a := &v.s.Actions[i]
	before := ""
	if k := v.s.Before(i); k >= 0 {
		before = v.s.Actions[k].Do
	}
	down := before == StopBackend || before == KillBackend
	v.say(a.Do == StartBackend && !down, at+".do", "found start-backend of backend %d, which no action before it has ended; allowed: behind stop-backend or kill-backend", a.Backend)
	v.say(a.Do == RestartBackend && down, at+".do", "found restart-backend of backend %d, which has ended; allowed: start-backend", a.Backend)
}
