package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"gauntlet/fixtures/container"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

// Where backends may run.
const (
	embedded = evidence.Embedded // in this process
	docker   = "docker"          // each in a container of its own
)

// closing bounds the removal of a run's containers.
const closing = time.Minute

// backendsIn gives what starts backends there and what ends it; both are for
// the caller to use once. A nil StartBackend stands for embedded ones.
func backendsIn(ctx context.Context, where string, target chosen) (engine.StartBackend, func() error, error) {
	if where != docker {
		return nil, func() error { return nil }, nil
	}
	if len(target.listen) > 0 {
		return nil, nil, usage(fmt.Errorf("--backends docker: target %s fixes backends.listen, and a container has an address of its own; allowed: embedded", target.Name()))
	}
	if len(target.taps) > 0 || target.blind {
		return nil, nil, usage(fmt.Errorf("--backends docker: the backends of target %s are real ones, and none is started; allowed: embedded", target.Name()))
	}
	e, err := container.Open(ctx, container.Config{Run: rand.Uint64()})
	if err != nil {
		return nil, nil, fmt.Errorf("--backends docker: %w", err)
	}
	return e.Backend, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		return e.Close(ctx)
	}, nil
}
