package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// stamped is set by the linker, see the Makefile; a binary built by go install
// says its module's version instead.
var stamped string

type versionCmd struct{}

// Help shows an example.
func (versionCmd) Help() string {
	return "Example:\n\n  $ gauntlet version\n  gauntlet v0.1.0 (go1.26.8 linux/amd64)"
}

// Run prints the version.
func (versionCmd) Run(w *world) error {
	_, err := fmt.Fprintf(w.Stdout, "gauntlet %s (%s %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version names this build, as reports do.
func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}
