package main

import (
	"context"

	"gauntlet/scenarios/engine"
)

// backends makes the engine's backends live where the command line says. The
// function it returns ends what it started.
func (c runCmd) backends(context.Context, *engine.Config) (func() error, error) {
	return func() error { return nil }, nil
}
