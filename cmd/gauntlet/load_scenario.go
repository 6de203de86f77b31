package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios"
)

// loadScenario is the id of the scenario that gauntlet load makes up. It is
// kept with the evidence, so that the run can be judged again.
const loadScenario = "load/offered"

// scenario gives the load as a scenario file and its one case. What is wrong
// with the arguments is found by the same checks as in any file.
func (c loadCmd) scenario() ([]byte, []*scenarios.Case, error) {
	request := map[string]any{"method": c.Method, "path": c.Path}
	if c.Body > 0 {
		request["body"] = c.Body.String()
	}
	offer := map[string]any{"name": "load", "rate": c.Rate.String(), "for": c.For.String(), "max_workers": c.MaxWorkers, "request": request}
	if c.Ramp > 0 {
		offer["ramp"] = map[string]any{"to": c.Ramp.String()}
	}
	if c.Step != "" {
		by, every, _ := strings.Cut(c.Step, "@")
		offer["step"] = map[string]any{"by": by, "every": every}
	}
	if c.Burst != "" {
		text, every, _ := strings.Cut(c.Burst, "@")
		size, err := strconv.Atoi(text)
		if err != nil {
			return nil, nil, fmt.Errorf("--burst: found %q; allowed: a number and a time, such as 50@1s", c.Burst)
		}
		offer["burst"] = map[string]any{"size": size, "every": every}
	}
	file := map[string]any{
		"id": loadScenario, "question": "What becomes of the requests that gauntlet load offers?", "level": "must",
		"backends": []any{map[string]any{"script": []any{map[string]any{"do": []any{
			map[string]any{"read": "request"}, map[string]any{"respond": map[string]any{"status": 200}},
		}}}}},
		"load": []any{offer}, "expect": []any{"invariants"},
		"failure": "Each damaged exchange is listed with its time line; the outcome says what happened to it.",
	}
	if c.StallFor > 0 {
		if c.URL != "" {
			return nil, nil, fmt.Errorf("--stall-for: the backend behind --url is not ours to stop; allowed: with --target")
		}
		// What is held back is delivered when the window closes, as after a
		// pause of the backend: nothing is lost, everything is late.
		file["faults"] = []any{map[string]any{
			"name": "stall", "link": "backend-1", "fault": map[string]any{"blackhole": "data"},
			"from": c.StallAt.String(), "until": (c.StallAt + c.StallFor).String(),
		}}
		offer["deadline"] = (units.Duration(10e9) + c.StallFor).String()
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		return nil, nil, fmt.Errorf("gauntlet load: %w", err)
	}
	cases, err := scenarios.Parse("gauntlet load", text)
	return text, cases, err
}
