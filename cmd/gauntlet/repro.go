package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/repro"
)

type reproCmd struct {
	Dir      string `arg:"" help:"Directory of a run." type:"existingdir"`
	Exchange string `arg:"" help:"Its id, its number, or the name that the scenario gives it."`
	Out      string `help:"The zip to write; ./repro-EXCHANGE.zip by default." type:"path"`
}

// Help shows an example.
func (reproCmd) Help() string {
	return `Packs what is known of one exchange for those who maintain the proxy and have no Gauntlet: scenario, seed, versions, evidence of its case, and a Go program that plays backend and client again and says whether the loss was seen.

Example:

  $ gauntlet repro runs/latest second --out lost.zip`
}

// Run writes the zip. Nothing is written when something is missing.
func (c reproCmd) Run(w *world) error {
	var b bytes.Buffer
	err := repro.Pack(evidence.Dir(c.Dir), c.Exchange, version(), &b)
	if errors.Is(err, engine.ErrNoExchange) {
		return usage(err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.Dir, err)
	}
	if c.Out == "" {
		c.Out = "repro-" + c.Exchange + ".zip"
	}
	if err := os.WriteFile(c.Out, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the zip: %w", err)
	}
	_, err = fmt.Fprintln(w.Stdout, c.Out)
	return err
}
