package main

import (
	"context"
	"os"
	"time"

	"gauntlet/chaos/process"
	"gauntlet/fixtures/container"
)

type devSuperviseCmd struct {
	Containers string   `help:"Instead of a command: remove the containers of this run when the caller is gone." placeholder:"RUN"`
	Command    []string `arg:"" optional:"" passthrough:"" help:"The command to run."`
}

// clearing bounds the removal of a dead run's containers.
const clearing = 2 * time.Minute

// Run supervises: its caller holds the other end of the control socket.
func (c devSuperviseCmd) Run(ctx context.Context) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if err := process.Supervise(context.WithoutCancel(ctx), os.NewFile(process.Control, "control"), command); err != nil || c.Containers == "" {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearing)
	defer cancel()
	return container.Remove(ctx, c.Containers)
}
