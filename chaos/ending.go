package chaos

import "math/rand/v2"

// ending lets an amount of bytes pass and then ends the direction in its way;
// reset, cut and half-close differ only in that way.
type ending struct {
	left int64
	end  End
}

func begin(after Amount, end End, r *rand.Rand) Stream {
	return &ending{left: after.draw(r), end: end}
}

func (s *ending) Next(p []byte) Step {
	n := min(int64(len(p)), s.left)
	s.left -= n
	if s.left > 0 {
		return Step{Take: int(n)}
	}
	return Step{Take: int(n), End: s.end}
}

func after(name string, n Amount) string {
	if n == (Amount{}) {
		return name
	}
	return name + "(after " + n.String() + ")"
}

func spellAfter(name string, n Amount) any {
	if n == (Amount{}) {
		return name
	}
	return map[string]any{name: map[string]any{"after": n.spelling()}}
}
