package main

import (
	"fmt"
	"slices"
	"strings"

	"gauntlet/scenarios/engine"
)

// permission is what the user allows a run to do to machines that are not this
// one. Loopback needs none.
type permission struct {
	AllowHost   []string `help:"A host beyond loopback that requests may go to; once for each." placeholder:"HOST"`
	AllowUnsafe bool     `help:"Send hosts beyond loopback also requests that may change something, and malformed ones."`
	MaxRate     float64  `help:"Most requests of loads in a second to hosts beyond loopback." default:"100"`
}

// allows refuses a run that would send requests to a host nobody has allowed.
func (p permission) allows(away []string) error {
	var strangers []string
	for _, host := range away {
		if !slices.Contains(p.AllowHost, host) {
			strangers = append(strangers, host)
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	return usage(fmt.Errorf("--target: requests would go to %s, which is not on loopback; allowed: gauntlet run with --allow-host %s, and only if you may test there",
		strings.Join(strangers, ", "), strings.Join(strangers, " --allow-host ")))
}

// bounds gives what may be sent to those hosts.
func (p permission) bounds(away []string) engine.Bounds {
	if len(away) == 0 {
		return engine.Bounds{}
	}
	return engine.Bounds{Rate: p.MaxRate, Safe: !p.AllowUnsafe}
}
