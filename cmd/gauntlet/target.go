package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gauntlet/fixtures/mutants"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// chosen is the target of a run and what its file says beside it.
type chosen struct {
	targets.Target
	sha    string
	accept []evidence.Accepted
	listen []string
	taps   []engine.Tap
	blind  bool     // it runs already, and nobody knows its backends
	away   []string // hosts beyond loopback that requests go to
	drains bool     // its file names a graceful stop
}

// run is what a run on the target, named as in the argument, begins with.
func (c chosen) run(argument string) evidence.Run {
	return evidence.Run{
		Target:         evidence.RunTarget{Name: c.Name(), Version: c.Version(), ConfigSHA256: c.sha},
		TargetArgument: argument, Started: time.Now().UTC().Format(time.RFC3339), Backends: embedded,
		Accept: c.accept, Environment: environment(),
	}
}

// installable are the proxies that can be had where they are installed or built.
func installable() []targets.Target {
	peers := filepath.Join(filepath.Dir(program()), "bench-peers") // see make peers
	return []targets.Target{
		targets.Nginx(), targets.HAProxy(), targets.Caddy(), targets.Apache(), targets.Oxy(peers), targets.FastHTTP(peers),
		targets.NginxDefault(), targets.HAProxyDefault(), targets.CaddyDefault(), targets.ApacheDefault(),
	}
}

// builtin are the names of the targets that need no file.
func builtin() []string {
	names := []string{"reference", "httputil"}
	for _, t := range installable() {
		names = append(names, t.Name())
	}
	return names
}

// onto gives the configuration with what a run on the target needs of it.
func (c chosen) onto(cfg engine.Config) engine.Config {
	cfg.Target, cfg.Listen, cfg.Taps, cfg.Blind = c.Target, c.listen, c.taps, c.blind
	cfg.Env = os.LookupEnv
	return cfg
}

// findTarget gives the target of that name, or the one that a file of that
// name describes.
func findTarget(name string, p permission) (chosen, error) {
	if mutant, ok := strings.CutPrefix(name, "mutant:"); ok {
		if _, known := mutants.Find(mutant); !known {
			return chosen{}, fmt.Errorf("--target: no mutant is named %q; see gauntlet list mutants", mutant)
		}
		return chosen{Target: targets.Mutant(program(), mutant)}, nil
	}
	switch name {
	case "reference":
		return chosen{Target: targets.Reference(program())}, nil
	case "httputil":
		return chosen{Target: targets.Httputil(program())}, nil
	}
	for _, t := range installable() {
		if t.Name() == name {
			return installedTarget(t)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return chosen{}, fmt.Errorf("--target: %q is no built-in target (%s, mutant:NAME) and cannot be read as a file: %w", name, strings.Join(builtin(), ", "), err)
	}
	t, spec, err := targets.Parse(name, text, os.LookupEnv)
	if err != nil {
		return chosen{}, err
	}
	sum := sha256.Sum256(text)
	out := chosen{Target: t, sha: hex.EncodeToString(sum[:]), listen: spec.Backends.Listen, drains: spec.Drain != "", away: spec.Away()}
	for _, tap := range spec.Backends.Tap {
		out.taps = append(out.taps, engine.Tap{Listen: tap.Listen, To: tap.To})
	}
	out.blind = spec.URL != "" && len(out.taps)+len(out.listen) == 0
	if err := p.allows(out.away); err != nil {
		return chosen{}, err
	}
	for _, a := range spec.Accept {
		out.accept = append(out.accept, evidence.Accepted{Scenario: a.Scenario, Because: a.Because, Until: a.Until})
	}
	return out, nil
}

func installedTarget(t targets.Target) (chosen, error) {
	if t.Version() == "" {
		return chosen{}, fmt.Errorf("--target: %s is not installed here, or not on PATH (oxy and fasthttp: make peers)", t.Name())
	}
	return chosen{Target: t}, nil
}
