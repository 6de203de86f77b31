package main

import (
	"fmt"
	"os"

	"gauntlet/chaos"
	"gauntlet/chaos/relay"
	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/decode"
)

// chaosFile is what --file holds: faults as in a scenario, all on one link.
type chaosFile struct {
	Faults []chaosWindow `yaml:"faults"`
}

type chaosWindow struct {
	Name      string          `yaml:"name"`
	From      units.Duration  `yaml:"from"`
	Until     units.Duration  `yaml:"until"`
	Fault     chaos.Spec      `yaml:"fault"`
	Share     chaos.Chance    `yaml:"share"`
	Direction chaos.Direction `yaml:"direction"`
}

// mostWindows bounds the windows of one relay.
const mostWindows = 1000

// windows gives those of the command line and those of the file.
func (c chaosCmd) windows() ([]relay.Window, error) {
	share := chaos.Chance(0)
	if c.Share != "" {
		var err error
		if share, err = chaos.ParseChance(c.Share); err != nil {
			return nil, fmt.Errorf("--share: %w", err)
		}
	}
	var all []chaosWindow
	for _, text := range c.Fault {
		spec, err := chaos.Parse([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("--fault %q: %w", text, err)
		}
		all = append(all, chaosWindow{From: c.From, Until: c.Until, Fault: spec, Share: share, Direction: chaos.Direction(c.Direction)})
	}
	if c.File != "" {
		of, err := readWindows(c.File)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	if len(all) == 0 || len(all) > mostWindows {
		return nil, fmt.Errorf("found %d windows; allowed: 1 to %d, by --fault or --file", len(all), mostWindows)
	}
	var windows []relay.Window
	for i, w := range all {
		windows = append(windows, relay.Window{
			Number: uint16(i + 1), Name: w.Name, From: w.From.D(), Until: w.Until.D(), Fault: w.Fault.Fault, Share: float64(w.Share), Direction: w.Direction,
		})
	}
	return windows, nil
}

func readWindows(path string) ([]chaosWindow, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	root, err := decode.Parse(path, text)
	if err != nil {
		return nil, err
	}
	var f chaosFile
	if err := strict.Node(root, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i, w := range f.Faults {
		if w.Fault.Fault == nil {
			return nil, fmt.Errorf("%s: faults[%d]: found no fault; allowed: see gauntlet list faults", path, i)
		}
	}
	return f.Faults, nil
}
