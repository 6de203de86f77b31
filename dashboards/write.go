package dashboards

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stack holds what stands beside dashboards and rules: a compose file and what
// its services are configured with.
//
//go:embed stack
var stack embed.FS

//go:embed slo.yaml
var openSLOs []byte

// DefaultSLOs are the objectives of the reference proxy.
func DefaultSLOs() ([]SLO, error) { return ReadSLOs("slo.yaml", bytes.NewReader(openSLOs)) }

// Files gives every file by its path below a directory. slos are the objectives
// whose burn rates the rules watch.
func Files(slos []SLO) (map[string][]byte, error) {
	files := map[string][]byte{"slo.yaml": openSLOs}
	err := fs.WalkDir(stack, "stack", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := stack.ReadFile(path)
		rel, _ := filepath.Rel("stack", path) // both are relative
		files[rel] = text
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the stack: %w", err)
	}
	if files["rules.yaml"], err = Rules(1, slos).YAML(); err != nil {
		return nil, err
	}
	for _, d := range All() {
		if files["grafana/dashboards/"+d.UID+".json"], err = d.JSON(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Write writes every file below dir, over what is there.
func Write(dir string, slos []SLO) error {
	files, err := Files(slos)
	if err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write dashboards: %w", err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("write dashboards: %w", err)
		}
	}
	return nil
}
