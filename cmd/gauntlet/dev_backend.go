package main

import (
	"context"

	"gauntlet/fixtures/backend"
)

type devBackendCmd struct {
	Listen  string `help:"Address the target reaches it at." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	Control string `help:"Address the harness reaches it at." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	Book    string `help:"Path of its book; it must not exist." required:"" type:"path" placeholder:"FILE"`
}

// Help shows an example.
func (devBackendCmd) Help() string {
	return "Says its control address as a line of JSON, then does what the harness tells it there.\n\nExample:\n\n  $ gauntlet dev backend --listen 127.0.0.1:9001 --control 127.0.0.1:9002 --book backend-1.book"
}

// Run serves until the harness stops it or is gone.
func (c devBackendCmd) Run(ctx context.Context, w *world) error {
	return backend.Serve(ctx, backend.ServeConfig{Listen: c.Listen, Control: c.Control, Book: c.Book, Announce: w.Stdout})
}
