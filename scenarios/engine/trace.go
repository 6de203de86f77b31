package engine

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

// ErrNoExchange is wrapped when the evidence holds no exchange of that name,
// number or id, or more than one.
var ErrNoExchange = errors.New("no such exchange")

// A Line is everything that a run's evidence says of one exchange.
type Line struct {
	ID      string
	Name    string // that the scenario gave it, if it did
	Trace   string // trace id, 32 hexadecimal digits
	Case    string // directory of its case, relative to the run's
	Outcome string // empty when no client of ours sent it
	Why     string
	Moments []ledger.Moment // by time: books, fault receipts, spans, log lines
	Begin   int64           // Unix ns from which moments are best counted
	Log     []string        // lines of the target's files that carry its id: "access.log: …"
}

// Trace gives the line of an exchange: by its id, by its number or by the name
// that the scenario gave it. A number or name that several cases have is an
// error that wraps ErrNoExchange and lists their ids.
func Trace(dir evidence.Dir, which string) (*Line, error) {
	run, err := dir.LoadRun()
	if err != nil {
		return nil, err
	}
	var found []sought
	for _, ref := range run.Cases {
		facts, err := dir.LoadCase(ref)
		if errors.Is(err, evidence.ErrIncomplete) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if seq, ok := has(facts, which); ok {
			found = append(found, sought{facts, seq})
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: %q; allowed: an id as the report shows it, a number, or a name that the scenario gives", ErrNoExchange, which)
	case 1:
		return found[0].line(dir)
	}
	err = fmt.Errorf("%w: %q stands for %d; allowed: one id of", ErrNoExchange, which, len(found))
	for _, s := range found {
		err = fmt.Errorf("%w\n  %s  %s", err, exchange.ID{Run: s.facts.Run, Seq: s.seq}, s.facts.Ref().Path())
	}
	return nil, err
}

type sought struct {
	facts *evidence.Case
	seq   uint64
}

func has(c *evidence.Case, which string) (uint64, bool) {
	if id, err := exchange.Parse(which); err == nil {
		return id.Seq, id.Run == c.Run
	}
	if seq, ok := c.Names[which]; ok {
		return seq, true
	}
	seq, err := strconv.ParseUint(which, 10, 64)
	return seq, err == nil && seq > 0 && seq <= c.Sent
}

func (s sought) line(dir evidence.Dir) (*Line, error) {
	ref := s.facts.Ref()
	books, err := readBooks(dir, s.facts)
	if err != nil {
		return nil, err
	}
	l, err := ledger.Join(books)
	if err != nil {
		return nil, err
	}
	id := exchange.ID{Run: s.facts.Run, Seq: s.seq}
	trace := id.TraceID()
	out := &Line{ID: id.String(), Trace: hex.EncodeToString(trace[:]), Case: ref.Path()}
	for _, name := range sortedKeys(s.facts.Names) {
		if s.facts.Names[name] == s.seq {
			out.Name = name
		}
	}
	if x, ok := l.Exchange(s.seq); ok {
		out.Outcome, out.Why, out.Begin = x.Outcome.String(), x.Why, x.Client.Started
	}
	all, err := lines(dir, s.facts, l, []uint64{s.seq})
	if err != nil {
		return nil, err
	}
	out.Moments = all[s.seq]
	if out.Begin == 0 && len(out.Moments) > 0 {
		out.Begin = out.Moments[0].Time
	}
	out.Log, err = mentions(dir.Target(ref), out.ID, out.Trace)
	return out, err
}

// maxMentions bounds the log lines shown of one exchange.
const maxMentions = 20

// mentions gives the lines of the target's own files that carry one of the
// words, each behind its file's name.
func mentions(dir string, words ...string) ([]string, error) {
	var lines []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		scan := bufio.NewScanner(f)
		for scan.Scan() {
			carries := func(w string) bool { return bytes.Contains(scan.Bytes(), []byte(w)) }
			if slices.ContainsFunc(words, carries) && len(lines) < maxMentions {
				lines = append(lines, name+": "+scan.Text())
			}
		}
		if err := scan.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
			return err // a file of endless lines is no log
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the target's files: %w", err)
	}
	return lines, nil
}
