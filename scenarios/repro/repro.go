// Package repro packs what is known of one exchange for somebody who has no
// Gauntlet: the scenario, the case's evidence, the exchange's time line, and a
// program of the standard library alone that plays it again. It reads a run's
// directory and judges nothing.
package repro

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
)

//go:embed program.go.txt
var program string

const (
	maxFile = 1 << 20  // bytes of a file that is packed whole
	maxAll  = 16 << 20 // bytes of all of them
)

// Pack writes a zip about an exchange, which is named as for engine.Trace.
// version is Gauntlet's own. The scenario's file must be among the evidence.
func Pack(dir evidence.Dir, which, version string, to io.Writer) error {
	line, err := engine.Trace(dir, which)
	if err != nil {
		return err
	}
	p := &pack{dir: dir, line: line, version: version, zip: zip.NewWriter(to)}
	if err := p.find(); err != nil {
		return err
	}
	if err := errors.Join(p.fill(), p.zip.Close()); err != nil {
		return fmt.Errorf("pack %s: %w", line.ID, err)
	}
	return nil
}

type pack struct {
	dir     evidence.Dir
	line    *engine.Line
	version string
	zip     *zip.Writer

	run      *evidence.Run
	ref      evidence.CaseRef
	source   []byte // of the scenario
	scene    *scenarios.Case
	without  string   // why there is no program
	left     []string // files that are too large
	packed   int64
	exchange exchange.ID
}

// find loads what the exchange belongs to.
func (p *pack) find() (err error) {
	if p.run, err = p.dir.LoadRun(); err != nil {
		return err
	}
	i := slices.IndexFunc(p.run.Cases, func(c evidence.CaseRef) bool { return c.Path() == p.line.Case })
	if i < 0 {
		return fmt.Errorf("pack %s: no case %s in run.json", p.line.ID, p.line.Case)
	}
	p.ref = p.run.Cases[i]
	if p.exchange, err = exchange.Parse(p.line.ID); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	file := p.dir.Scenario(p.ref.Scenario)
	if p.source, err = os.ReadFile(file); err != nil {
		return fmt.Errorf("pack %s: %w", p.line.ID, err)
	}
	cases, err := scenarios.Parse(file, p.source)
	if err != nil {
		return fmt.Errorf("pack %s: %w", p.line.ID, err)
	}
	i = slices.IndexFunc(cases, func(c *scenarios.Case) bool { return c.Slug == p.ref.Slug })
	if i < 0 {
		return fmt.Errorf("pack %s: %s has no case %s", p.line.ID, file, p.ref.Slug)
	}
	p.scene = cases[i]
	return nil
}

func (p *pack) fill() error {
	text, err := p.program()
	if err != nil {
		return err
	}
	if text != nil {
		err = p.add("main.go", text)
	}
	facts, jerr := json.MarshalIndent(p.run, "", "  ")
	err = errors.Join(err, jerr, p.add("run.json", facts), p.add("scenario.yaml", p.source), p.add("timeline.txt", p.timeline()))
	if err != nil {
		return err
	}
	if err := p.evidence(); err != nil {
		return err
	}
	return p.add("README.md", p.readme())
}

func (p *pack) add(name string, text []byte) error {
	w, err := p.zip.Create(name)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// program gives the source of what plays the exchange, nil when it has no words
// for the scenario.
func (p *pack) program() ([]byte, error) {
	played, err := stage(p.scene)
	if cannot, ok := errors.AsType[unplayable](err); ok {
		p.without = string(cannot)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	played.Exchange, played.Recorded = p.exchange.Seq, p.line.Outcome
	text, err := json.MarshalIndent(played, "", "  ")
	if err != nil {
		return nil, err
	}
	// A raw string of Go's holds no backtick; JSON spells one by its number.
	text = bytes.ReplaceAll(text, []byte("`"), []byte(`\u0060`))
	return []byte(strings.Replace(program, "@PLAY@", string(text), 1)), nil
}

// timeline tells what became of the exchange.
func (p *pack) timeline() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "exchange %s %s\n%s\n%s\n\n", p.line.ID, p.line.Name, p.line.Outcome, p.line.Why)
	for _, m := range p.line.Moments {
		fmt.Fprintf(&b, "%+.3f ms\t%s\t%s\n", float64(m.Time-p.line.Begin)/1e6, m.Party, m.What)
	}
	for _, l := range p.line.Log {
		fmt.Fprintf(&b, "%s\n", l)
	}
	return b.Bytes()
}

// evidence packs the case's files, the larger ones named and left out.
func (p *pack) evidence() error {
	base := p.dir.Case(p.ref)
	return filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(base, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxFile || p.packed+info.Size() > maxAll {
			p.left = append(p.left, name)
			return nil
		}
		p.packed += info.Size()
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return p.add("evidence/"+filepath.ToSlash(name), text)
	})
}
