package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gauntlet/fixtures/strict"
)

// DefaultWithin is how long a command may take when nobody says otherwise.
const DefaultWithin = time.Minute

// Runtime lists what ${…} may stand for in the run and env of an exec, beside vary values:
// the target's address, its process and its directory; backend N, from 1, as it
// truly is and as the target reaches it, which is the tap where there is one;
// and a variable of the environment, whose value is kept out of the evidence.
func Runtime() []string {
	return []string{"target", "pid", "dir", "backend.N", "endpoint.N", "env:NAME"}
}

// isRuntime reports whether a name is one of Runtime.
func isRuntime(name string) bool {
	if slices.Contains([]string{"target", "pid", "dir"}, name) {
		return true
	}
	if variable, ok := strings.CutPrefix(name, "env:"); ok {
		return variable != ""
	}
	_, ok := RuntimeNumber(name)
	return ok
}

// RuntimeNumber gives N of backend.N and endpoint.N.
func RuntimeNumber(name string) (int, bool) {
	of, digits, ok := strings.Cut(name, ".")
	n, err := strconv.Atoi(digits)
	return n, ok && (of == "backend" || of == "endpoint") && err == nil && n >= 1 && strconv.Itoa(n) == digits
}

// command checks what an exec runs.
func (v *validation) command(at string, a *Action) {
	if a.Do != Exec {
		v.say(len(a.Run) > 0, at+".run", "stands beside %s; allowed: only with %s", a.Do, Exec)
		v.say(len(a.Env) > 0, at+".env", "stands beside %s; allowed: only with %s", a.Do, Exec)
		v.say(a.Within != 0, at+".within", "stands beside %s; allowed: only with %s", a.Do, Exec)
		return
	}
	v.say(len(a.Run) == 0 || a.Run[0] == "", at+".run", "found no command; allowed: a program and its arguments as a list")
	v.say(a.Within < 0, at+".within", "found %s; allowed: a time above 0s", a.Within)
	for name := range a.Env {
		v.say(name == "" || strings.ContainsAny(name, "=\x00"), at+".env", "found the name %q; allowed: the name of a variable", name)
	}
}

// Expand puts the values of ${…} into a text of an exec. Its error names one
// that there is none for.
func Expand(text string, value func(name string) (string, bool)) (string, error) {
	var problems strict.Problems
	out := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		v, ok := value(found[2 : len(found)-1])
		if !ok {
			problems = append(problems, strict.Problem{Text: fmt.Sprintf("%s stands for nothing here", found)})
		}
		return v
	})
	return out, problems.Err()
}
