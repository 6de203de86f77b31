package targets

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

func writeFile(path string, text []byte) error {
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write target file: %w", err)
	}
	return nil
}

// ProgramVersion asks a program on PATH for its version, as Target.Version
// does; "" when it is not there.
func ProgramVersion(program string, args ...string) string { return firstLine(program, args...) }

// firstLine runs a program that prints its version and gives the first line
// it prints, "" when it cannot be run.
func firstLine(program string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil && len(out) == 0 {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
