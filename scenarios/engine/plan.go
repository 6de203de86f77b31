package engine

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"time"

	"gauntlet/scenarios/targets"
)

// A Planned says what Run would do.
type Planned struct {
	Target    string
	Scenarios []PlannedScenario
	Runs      int           // cases, repetitions counted
	Requests  int           // of loads; scripted clients send a few each
	Duration  time.Duration // of the cases that run one by one; the others take a fraction of a second each
	Ports     string
}

// A PlannedScenario is one scenario of a plan.
type PlannedScenario struct {
	ID          string
	Question    string
	Level       string
	Cases       int
	Alone       bool
	Duration    time.Duration
	Unsupported []string // what the target lacks for any of its cases
}

// Plan says what Run would do with the config, and does nothing of it.
func Plan(cfg Config) Planned {
	e := &Engine{cfg: cfg}
	p := Planned{
		Target: cfg.Target.Name(), Ports: "a block of 200 between 20000 and 31999 on loopback for the target, ephemeral ones for backends and relays",
	}
	at := map[string]int{}
	for _, c := range e.planned() {
		p.Runs++
		i, ok := at[c.ID]
		if !ok {
			i = len(p.Scenarios)
			at[c.ID] = i
			p.Scenarios = append(p.Scenarios, PlannedScenario{ID: c.ID, Question: c.Question, Level: string(c.Level), Alone: c.Serial || len(c.Load) > 0})
		}
		s := &p.Scenarios[i]
		s.Cases++
		s.Duration += c.Planned()
		if s.Alone {
			p.Duration += c.Planned()
		}
		p.Requests += c.requests()
		for _, lack := range cfg.lacking(c) {
			if !slices.Contains(s.Unsupported, lack) {
				s.Unsupported = append(s.Unsupported, lack)
			}
		}
	}
	return p
}

// requests is how many requests the loads of a case plan.
func (c planned) requests() (n int) {
	for i := range c.Load {
		if plan, err := c.Load[i].Plan(); err == nil {
			n += len(plan)
		}
	}
	return n
}

// lacking asks the target for a plan in a directory that is thrown away.
func (cfg Config) lacking(c planned) []string {
	if lacks, ok := errors.AsType[*targets.Unsupported](cfg.admits(c.Case)); ok {
		return lacks.Lacks
	}
	dir, err := os.MkdirTemp("", "gauntlet-plan-")
	if err != nil {
		return nil
	}
	defer func() { _ = os.RemoveAll(dir) }()
	backends := make([]string, cfg.backends(c.Case))
	for i := range backends {
		backends[i] = "127.0.0.1:" + strconv.Itoa(1+i)
	}
	_, err = cfg.Target.Plan(targets.Wants{Given: cfg.given(c.Case), Requires: c.Requires, Backends: backends, Listen: "127.0.0.1:80", Admin: "127.0.0.1:81", OTLP: "http://127.0.0.1:82", OTLPGRPC: "127.0.0.1:83", Dir: dir, TLS: targets.TLSFiles{Cert: "listener.crt", Key: "listener.key", CA: "ca.crt"}})
	if lacks, ok := errors.AsType[*targets.Unsupported](err); ok {
		return lacks.Lacks
	}
	return nil
}
