package capacity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gauntlet/chaos/process"
	"gauntlet/fixtures/backend"
)

// remote is a backend in a process of its own, so that its use of the machine
// is told from the generator's.
type remote struct {
	*backend.Remote
	proc *process.Process
}

// Stop ends the backend and then its process.
func (r *remote) Stop(ctx context.Context) error {
	return errors.Join(r.Remote.Stop(ctx), r.proc.Kill(ctx))
}

// startUp bounds the start of a backend's process.
const startUp = 20 * time.Second

// errBackend says that a backend's process did not come up.
var errBackend = errors.New("backend process")

// start runs a backend in a process of its own.
func (e *Engine) start(ctx context.Context, cfg backend.Config) (*remote, error) {
	said := cfg.Book + ".said"
	proc, err := process.Start(ctx, process.Spec{
		Args: []string{e.Program, "dev", "backend", "--listen", cfg.Listen, "--book", cfg.Book}, Log: said, Supervisor: e.Supervisor,
	})
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, startUp)
	defer cancel()
	control, err := announced(limited, said, proc)
	if err != nil {
		return nil, errors.Join(err, proc.Kill(context.WithoutCancel(ctx)))
	}
	r, err := backend.Connect(ctx, control, "", cfg)
	if err != nil {
		return nil, errors.Join(err, proc.Kill(context.WithoutCancel(ctx)))
	}
	return &remote{Remote: r, proc: proc}, nil
}

// announced waits for the line by which the process says where it is reached.
func announced(ctx context.Context, file string, proc *process.Process) (string, error) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		text, _ := os.ReadFile(file) // it comes about when something is said
		var said struct{ Control string }
		if line, _, whole := strings.Cut(string(text), "\n"); whole {
			if err := json.Unmarshal([]byte(line), &said); err != nil || said.Control == "" {
				return "", fmt.Errorf("%w: it said %q", errBackend, line)
			}
			return said.Control, nil
		}
		select {
		case <-tick.C:
		case <-proc.Exited():
			return "", fmt.Errorf("%w: it ended; it said %q", errBackend, text)
		case <-ctx.Done():
			return "", fmt.Errorf("%w: not up after %s: %w", errBackend, startUp, context.Cause(ctx))
		}
	}
}
