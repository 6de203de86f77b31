package main

import (
	"context"
	"os"

	"gauntlet/chaos/process"
)

type devSuperviseCmd struct {
	Command []string `arg:"" optional:"" passthrough:"" help:"The command to run."`
}

// Run supervises: its caller holds the other end of the control socket.
func (c devSuperviseCmd) Run(ctx context.Context) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	return process.Supervise(context.WithoutCancel(ctx), os.NewFile(process.Control, "control"), command)
}
