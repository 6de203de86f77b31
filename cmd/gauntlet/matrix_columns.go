package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gauntlet/reports/matrix"
	"gauntlet/reports/render"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// A column is a target of a matrix and what runs it.
type column struct {
	matrix.Target
	chosen chosen
}

// columnsOf finds the targets. Two of one name get two columns: what is
// configured differently stands apart.
func columnsOf(arguments []string) ([]column, error) {
	columns := make([]column, 0, len(arguments))
	seen := map[string]int{}
	for _, a := range arguments {
		t, err := findTarget(strings.TrimSpace(a), permission{})
		if err != nil {
			return nil, usage(err)
		}
		col := column{chosen: t}
		col.Name, col.Version, col.Argument = t.Name(), t.Version(), strings.TrimSpace(a)
		col.Described, col.Default = t.sha != "", strings.HasSuffix(t.Name(), targets.Default)
		if seen[col.Name]++; seen[col.Name] > 1 {
			col.Name = fmt.Sprintf("%s-%d", col.Name, seen[col.Name])
		}
		col.Dir = strings.Map(plainName, col.Name)
		columns = append(columns, col)
	}
	return columns, nil
}

// plainName keeps what may stand in the name of a directory everywhere.
func plainName(r rune) rune {
	if r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return '-'
}

// describe writes what the target is configured with beside the matrix: its
// target file, or what its adapter writes when a scenario asks for nothing.
func (c *column) describe(out evidence.Dir) error {
	text, err := c.configuration()
	if err != nil || text == nil {
		return err
	}
	sum := sha256.Sum256(text)
	c.ConfigSHA256 = hex.EncodeToString(sum[:])
	c.Configuration = c.Dir + ".conf.txt"
	if err := os.MkdirAll(string(out), 0o755); err != nil {
		return fmt.Errorf("make the matrix's directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(string(out), c.Configuration), text, 0o600); err != nil {
		return fmt.Errorf("write the configuration of %s: %w", c.Name, err)
	}
	return nil
}

// configuration gives that text, nil where there is none to be had. Directories
// and addresses are made the same for every run, so that equal configurations
// have equal digests.
func (c *column) configuration() (text []byte, err error) {
	if c.Described {
		return os.ReadFile(c.Argument)
	}
	dir, err := os.MkdirTemp("", "gauntlet-configuration-")
	if err != nil {
		return nil, fmt.Errorf("look at a configuration: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plan, err := c.chosen.Plan(targets.Wants{
		Backends: []string{"127.0.0.1:9001"}, Listen: "127.0.0.1:8001", Admin: "127.0.0.1:8002", OTLP: "http://127.0.0.1:4318", Dir: dir,
	})
	if _, lacks := errors.AsType[*targets.Unsupported](err); lacks {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at the configuration of %s: %w", c.Name, err)
	}
	if plan.Config == "" {
		return []byte(strings.ReplaceAll(strings.Join(plan.Args[1:], " "), dir, "DIR") + "\n"), nil
	}
	conf, err := os.ReadFile(plan.Config)
	if err != nil {
		return nil, fmt.Errorf("look at the configuration of %s: %w", c.Name, err)
	}
	return []byte(strings.ReplaceAll(string(conf), dir, "DIR")), nil
}

// writeMatrix writes it in every form it has.
func writeMatrix(out evidence.Dir, m *matrix.Matrix) error {
	for name, write := range map[string]func(io.Writer, *matrix.Matrix) error{
		"matrix.json": matrix.Encode, "matrix.html": render.MatrixHTML, "matrix.md": render.MatrixMarkdown,
	} {
		path := filepath.Join(string(out), name)
		f, err := os.Create(path)
		if err != nil {
			return fmt.Errorf("write matrix: %w", err)
		}
		if err := errors.Join(write(f, m), f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}
