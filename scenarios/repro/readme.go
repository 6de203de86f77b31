package repro

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// readme tells a stranger what this is and how to see it again.
func (p *pack) readme() []byte {
	var b bytes.Buffer
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("# %s: exchange %d of %s", cmp.Or(p.line.Outcome, "no outcome"), p.exchange.Seq, p.ref.Scenario)
	say("\n%s\n\nCase: %s. What became of the exchange, step by step: timeline.txt.\n", p.scene.Question, p.ref.Slug)
	if p.line.Why != "" {
		say("Why it counts as %s: %s.\n", p.line.Outcome, strings.TrimSuffix(p.line.Why, "."))
	}
	say("| | |\n| --- | --- |")
	say("| proxy | %s %s |", p.run.Target.Name, p.run.Target.Version)
	say("| gauntlet | %s |\n| seed | %d |\n| scenario | %s, in scenario.yaml |\n| configuration and logs of the proxy | evidence/target |", p.version, p.run.Seed, p.ref.Scenario)
	if p.without == "" {
		say("\n## See it without Gauntlet\n")
		say("main.go needs Go and nothing else. It is the backend and the client of this scenario. Let your proxy listen on one address and\nforward to the other, start it anew, and run\n")
		say("    go run main.go --backend 127.0.0.1:9001 --proxy 127.0.0.1:8080\n")
		say("It exits with 1 and says LOSS SEEN when a request was lost or damaged, with 0 when none was. A race may need several runs.")
	} else {
		say("\nThere is no program that plays it without Gauntlet: the scenario needs %s.", p.without)
	}
	say("\n## See it with Gauntlet\n\n    gauntlet run scenario.yaml --target FILE --seed %d\n", p.run.Seed)
	say("FILE describes your proxy; gauntlet init writes one. It was seen by\n\n    %s", p.run.Repeat(p.ref.Scenario, p.run.Seed))
	if len(p.left) > 0 {
		slices.Sort(p.left)
		say("\nToo large to be here: %s.", strings.Join(p.left, ", "))
	}
	return b.Bytes()
}
