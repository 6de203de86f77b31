package prove

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/mutants/saboteur"
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/decode"
	"gauntlet/scenarios/ledger"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/wire"
)

// Sabotage says how to test the ledger itself: traffic through a relay that
// damages a known few exchanges of every class and keeps a log of them.
type Sabotage struct {
	Dir       string // of the evidence
	Rate      float64
	Exchanges int
	PerSecond int
	Seed      uint64
}

// A Reckoning is what the ledger found against what was done.
type Reckoning struct {
	Sent    int
	Deeds   map[string]int // by class
	Agreed  int
	Seconds float64
	Wrong   error // what was missed, invented or misnamed; nil when the findings equal the log
}

func (r *Reckoning) String() string {
	var classes []string
	for _, c := range slices.Sorted(maps.Keys(r.Deeds)) {
		classes = append(classes, fmt.Sprintf("%s %d", c, r.Deeds[c]))
	}
	return fmt.Sprintf("%d exchanges in %.0f s, %d of them agreed with the saboteur's log: %s", r.Sent, r.Seconds, r.Agreed, strings.Join(classes, ", "))
}

// traffic is varied, so that every class finds something to damage.
const traffic = `
method: {GET: 55, POST: 25, PUT: 8, DELETE: 6, HEAD: 4, OPTIONS: 2}
path: legal
body: {size: [0, 1, 64, 4KiB, 64KiB], chunked: 0.4}
answer: {size: [0, 1, 128, 16KiB], chunked: 0.4, trailers: 0.1, cookies: [0, 1, 5], early_hints: 0.05}
`

// Saboteur runs the traffic and compares the ledger's findings with the log.
// Its error says that it could not be carried out.
func Saboteur(ctx context.Context, cfg Sabotage) (*Reckoning, error) {
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("saboteur: %w", err)
	}
	s := &sabotage{cfg: cfg, run: cfg.Seed | 1<<63}
	err := s.start(ctx)
	began := time.Now()
	if err == nil {
		err = s.drive(ctx)
	}
	took := time.Since(began).Seconds()
	if err := errors.Join(err, s.stop()); err != nil {
		return nil, fmt.Errorf("saboteur: %w", err)
	}
	r, err := s.reckon()
	if err != nil {
		return nil, fmt.Errorf("saboteur: %w", err)
	}
	r.Seconds = took
	return r, nil
}

type sabotage struct {
	cfg      Sabotage
	run      uint64
	backends []*backend.Backend
	relay    *saboteur.Saboteur
	log      bytes.Buffer // written by the relay alone, read when it has stopped
	client   *book.Writer
}

func (s *sabotage) book(n int) string {
	return filepath.Join(s.cfg.Dir, fmt.Sprintf("backend-%d.book", n))
}

func (s *sabotage) start(ctx context.Context) error {
	var addrs []string
	rules := []script.Rule{{Do: []script.Step{{Read: &script.Read{Until: script.UntilRequest}}, {AsAsked: true}}}}
	for n := 1; n <= 2; n++ {
		b, err := backend.Start(ctx, backend.Config{Number: n, Listen: "127.0.0.1:0", Rules: rules, Run: s.run, Seed: s.cfg.Seed, Book: s.book(n), Deadline: time.Minute})
		if err != nil {
			return err
		}
		s.backends = append(s.backends, b)
		if err := b.Begin(); err != nil {
			return err
		}
		addrs = append(addrs, b.Addr())
	}
	var err error
	if s.relay, err = saboteur.Start(ctx, saboteur.Config{Backends: addrs, Seed: s.cfg.Seed, Rate: s.cfg.Rate, Log: &s.log}); err != nil {
		return err
	}
	s.client, err = book.Create(filepath.Join(s.cfg.Dir, "client.book"), book.Header{Kind: book.ClientBook, Run: s.run})
	return err
}

func (s *sabotage) drive(ctx context.Context) error {
	l := load.Load{
		Name: "mix", Rate: units.Rate(s.cfg.PerSecond), Mix: &load.Mix{},
		For: units.Duration(time.Duration(s.cfg.Exchanges) * time.Second / time.Duration(s.cfg.PerSecond)),
	}
	if err := decode.Strict("traffic", []byte(traffic), l.Mix); err != nil {
		return err
	}
	_, err := load.Run(ctx, load.Config{Target: wire.Target{Address: s.relay.Addr()}, Load: l, IDs: wire.NewIDs(s.run), Book: s.client, Seed: s.cfg.Seed})
	return err
}

func (s *sabotage) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var errs []error
	if s.client != nil {
		errs = append(errs, s.client.Seal())
	}
	if s.relay != nil {
		errs = append(errs, s.relay.Stop(ctx))
	}
	for _, b := range s.backends {
		errs = append(errs, b.Stop(ctx))
	}
	return errors.Join(errs...)
}

func (s *sabotage) reckon() (*Reckoning, error) {
	books := ledger.Books{Run: s.run}
	var err error
	if books.Client, err = book.Read(filepath.Join(s.cfg.Dir, "client.book")); err != nil {
		return nil, err
	}
	for n := range s.backends {
		b, err := book.Read(s.book(n + 1))
		if err != nil {
			return nil, err
		}
		books.Backends = append(books.Backends, b)
	}
	l, err := ledger.Join(books)
	if err != nil {
		return nil, err
	}
	entries, err := saboteur.ReadLog(&s.log)
	if err != nil {
		return nil, err
	}
	r := &Reckoning{Sent: l.Sent(), Deeds: map[string]int{}}
	for _, e := range entries {
		r.Deeds[string(e.Class)]++
	}
	diff := saboteur.Compare(found(l), entries)
	r.Agreed, r.Wrong = diff.Agreed, diff.Err()
	if r.Wrong == nil && len(entries) == 0 {
		r.Wrong = errors.New("nothing was damaged, so nothing was proven")
	}
	return r, nil
}

// found gives what the ledger says of every exchange that was not delivered,
// and the requests that nobody sent.
func found(l *ledger.Ledger) func(func(saboteur.Entry) bool) {
	return func(yield func(saboteur.Entry) bool) {
		for e := range l.All() {
			if e.Outcome != ledger.Delivered && !yield(saboteur.Entry{Seq: e.Seq, Class: saboteur.Class(e.Outcome.String())}) {
				return
			}
		}
		for a := range l.Phantoms() {
			if !yield(saboteur.Entry{Seq: a.Seq, Class: saboteur.Phantom}) {
				return
			}
		}
	}
}
