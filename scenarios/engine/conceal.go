package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gauntlet/fixtures/http1"
)

// conceal takes the target's secrets out of whatever it or we have written of
// it: its configuration, what it printed, its spans, its metrics and the case's own words.
// Books hold no text. What cannot be cleaned is removed.
func (s *stage) conceal() {
	if len(s.secrets) == 0 {
		return
	}
	pairs := make([]string, 0, 2*len(s.secrets))
	// The longest first, for the sake of one that holds another; by as many
	// asterisks, so that the frames of spans keep their lengths.
	for _, secret := range slices.SortedFunc(slices.Values(s.secrets), func(a, b string) int { return len(b) - len(a) }) {
		pairs = append(pairs, secret, strings.Repeat("*", len(secret)))
	}
	clean := strings.NewReplacer(pairs...)
	err := errors.Join(
		concealBelow(s.engine.cfg.Dir.Target(s.c.ref), clean),
		concealBelow(s.engine.cfg.Dir.Spans(s.c.ref), clean),
		concealBelow(s.engine.cfg.Dir.Metrics(s.c.ref, "before"), clean),
		concealBelow(s.engine.cfg.Dir.Metrics(s.c.ref, "after"), clean),
	)
	for _, c := range s.commands {
		err = errors.Join(err, concealBelow(c.log, clean))
	}
	s.fail(err)
	for i, text := range s.facts.Errors {
		s.facts.Errors[i] = clean.Replace(text)
	}
	for i := range s.facts.Mismatches {
		m := &s.facts.Mismatches[i]
		m.Got, m.Want = clean.Replace(m.Got), clean.Replace(m.Want)
	}
	for i := range s.facts.Requests {
		r := &s.facts.Requests[i]
		r.Target, r.Body, r.Bad = clean.Replace(r.Target), clean.Replace(r.Body), clean.Replace(r.Bad)
		concealFields(r.Fields, clean)
		concealFields(r.Trailers, clean)
	}
	for i := range s.facts.Answers {
		a := &s.facts.Answers[i]
		a.Body = clean.Replace(a.Body)
		concealFields(a.Fields, clean)
		concealFields(a.Trailers, clean)
	}
}

func concealFields(fields []http1.Field, clean *strings.Replacer) {
	for i := range fields {
		fields[i].Value = clean.Replace(fields[i].Value)
	}
}

// concealBelow cleans every regular file at or below root.
func concealBelow(root string, clean *strings.Replacer) error {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return errors.Join(err, os.Remove(path))
		}
		cleaned := []byte(clean.Replace(string(text)))
		if bytes.Equal(text, cleaned) {
			return nil
		}
		if err := os.WriteFile(path, cleaned, 0o600); err != nil {
			return errors.Join(err, os.Remove(path))
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("conceal secrets in the evidence: %w", err)
	}
	return nil
}
