package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"gauntlet/chaos/relay"
	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/script"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/otlp"
	"gauntlet/scenarios/targets"
	"gauntlet/scenarios/wire"
)

// stage is everything one case stands on. The stage that made a part closes
// it, in strike.
type stage struct {
	engine *Engine
	c      planned
	facts  *evidence.Case
	hub    *script.Hub
	ids    *wire.IDs

	backends []backend.Server
	specs    []backend.Config // how each backend was started
	former   []former         // backends whose place another start has taken
	ended    map[int]bool     // backends that an action has ended
	relays   []*relay.Relay
	receiver *otlp.Receiver
	client   *book.Writer
	faults   *book.Writer
	keys     *keys
	target   *instance
	logFrom  int64    // where this case begins in the target's access log
	scraped  float64  // exchanges that the target had counted before the clients began
	secrets  []string // of the target, which must not stay in evidence
	address  string   // where clients connect
	wants    targets.Wants
	commands []running
	acting   sync.Mutex // guards the target's configuration against actions
	altered  bool       // it is not the one that the case began with
	mu       sync.Mutex // guards facts.Errors, backends, commands and what they add against companions
}

// run carries out a case: what cannot be done is an error in its facts.
func (e *Engine) run(ctx context.Context, c planned) *evidence.Case {
	s := &stage{engine: e, c: c, hub: script.NewHub(), ended: map[int]bool{}}
	s.facts = &evidence.Case{
		Schema: evidence.CaseSchema, Scenario: c.ID, Slug: c.Slug, Repetition: c.ref.Repetition,
		Run: newRun(), Seed: c.seed, Started: time.Now().UnixNano(), Backends: e.cfg.backends(c.Case), Tier: e.cfg.tier(),
		Target: evidence.Target{Name: e.cfg.Target.Name()}, Windows: map[string]evidence.Window{},
	}
	s.ids = wire.NewIDs(s.facts.Run)
	ctx, cancel := context.WithTimeout(ctx, c.Limit()+30*time.Second)
	defer cancel()
	err := s.provision(ctx)
	if err == nil {
		s.drive(ctx)
		s.settle(ctx)
		s.quiet(ctx)
	}
	s.strike()
	var lacks *targets.Unsupported
	switch {
	case errors.As(err, &lacks):
		s.facts.Unsupported = append(s.facts.Unsupported, lacks.Lacks...)
	case err != nil:
		s.fail(err)
	}
	s.conceal()
	s.facts.Sent = s.ids.Sent()
	s.facts.Stopped = time.Now().UnixNano()
	return s.facts
}

// fail notes an error of the harness: the case will be invalid.
func (s *stage) fail(err error) {
	if err != nil {
		s.facts.Errors = append(s.facts.Errors, err.Error())
	}
}

// provision builds the stage from the back: backends, the links to them, the
// receiver, the target, the link to it.
func (s *stage) provision(ctx context.Context) error {
	dir, ref := s.engine.cfg.Dir, s.c.ref
	if err := os.RemoveAll(dir.Case(ref)); err != nil {
		return fmt.Errorf("make the case's directory: %w", err)
	}
	if err := os.MkdirAll(dir.Target(ref), 0o755); err != nil {
		return fmt.Errorf("make the case's directory: %w", err)
	}
	if err := s.engine.cfg.admits(s.c.Case); err != nil {
		return err
	}
	if err := s.books(); err != nil {
		return err
	}
	if err := s.certify(); err != nil {
		return err
	}
	endpoints, err := s.startBackends(ctx)
	if err != nil {
		return err
	}
	if err := s.receive(ctx); err != nil {
		return err
	}
	plan, err := s.plan(endpoints)
	if err != nil {
		return err
	}
	s.facts.Settings, s.secrets = plan.Settings, plan.Secrets
	s.target, err = startTarget(ctx, s.engine.cfg.Target.Name(), plan, s.keys.authority.Pool(), dir.Target(ref), s.engine.cfg.Supervisor)
	if err != nil {
		return err
	}
	s.logBegins()
	s.address, err = s.link(ctx, 0, "127.0.0.1:0", plan.Address)
	if err != nil {
		return err
	}
	return s.baseline(ctx)
}

func (s *stage) books() (err error) {
	dir, ref := s.engine.cfg.Dir, s.c.ref
	if s.client, err = book.Create(dir.ClientBook(ref), book.Header{Kind: book.ClientBook, Run: s.facts.Run}); err != nil {
		return err
	}
	for i, f := range s.c.Faults {
		if !f.Does() {
			continue
		}
		s.facts.Faults = append(s.facts.Faults, evidence.Fault{Name: f.Name, Link: f.Link, Fault: f.Fault.String()})
		if s.faults == nil {
			s.faults, err = book.Create(dir.FaultBook(ref), book.Header{Kind: book.FaultBook, Run: s.facts.Run})
		}
		if err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	return nil
}

// startBackends gives the addresses at which the target finds them.
func (s *stage) startBackends(ctx context.Context) ([]string, error) {
	if s.facts.Tier != evidence.ClientBackend {
		return s.startTaps(ctx)
	}
	var endpoints []string
	for n := 1; n <= s.c.BackendCount(); n++ {
		// The target finds a fixed address at the relay, if there is one.
		at, listen := "127.0.0.1:0", "127.0.0.1:0"
		if n <= len(s.engine.cfg.Listen) {
			at = s.engine.cfg.Listen[n-1]
		}
		if len(s.windows(uint16(n))) == 0 {
			listen = at
		}
		spec := s.c.Backend(n)
		pair, err := s.keys.shown(spec.TLS)
		if err != nil {
			return nil, fmt.Errorf("backend %d: %w", n, err)
		}
		if listen == "127.0.0.1:0" && s.c.StartsAgain(n) {
			// An ephemeral port could be somebody else's by then.
			if listen, err = s.engine.ports.Address(); err != nil {
				return nil, err
			}
		}
		cfg := backend.Config{
			Number: n, Listen: listen, Protocol: spec.Protocol, TLS: pair, Settings: spec.Settings, Rules: spec.Script, Run: s.facts.Run, Seed: s.c.seed,
			Book: s.engine.cfg.Dir.BackendBook(s.c.ref, n), Hub: s.hub, Witness: len(s.c.Checks) > 0,
		}
		b, err := s.engine.cfg.Backend(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("start backend %d: %w", n, err)
		}
		s.backends, s.specs = append(s.backends, b), append(s.specs, cfg)
		endpoint, err := s.link(ctx, uint16(n), at, b.Addr())
		if err != nil {
			return nil, err
		}
		endpoints = append(endpoints, endpoint)
	}
	return endpoints, nil
}

// link puts a relay before the address when the link has a fault window, and
// leaves the address alone when it has none: a relay blurs FIN, RST and the
// order of connects. The relay listens at the address at.
func (s *stage) link(ctx context.Context, number uint16, at, to string) (string, error) {
	windows := s.windows(number)
	if len(windows) == 0 {
		return to, nil
	}
	// Like the backends, it outlives the clients of a run that is broken off.
	r, err := relay.Start(context.WithoutCancel(ctx), relay.Config{Listen: at, To: to, Link: number, Windows: windows, Seed: s.c.seed, Book: s.faults})
	if err != nil {
		return "", fmt.Errorf("link %d: %w", number, err)
	}
	s.relays = append(s.relays, r)
	return r.Addr(), nil
}

// windows gives the fault windows of a link.
func (s *stage) windows(number uint16) (windows []relay.Window) {
	n := uint16(0)
	for i := range s.c.Faults {
		f := &s.c.Faults[i]
		if !f.Does() {
			continue
		}
		n++
		if at, ok := f.LinkNumber(); !ok || at != number {
			continue
		}
		windows = append(windows, relay.Window{
			Number: n, Name: f.Title(), From: f.From.D(), Until: f.Until.D(),
			Fault: f.Fault.Fault, Share: f.Share, Direction: f.Direction,
		})
	}
	return windows
}

// The file of received telemetry is bounded, so that a target gone mad fills no
// disk: by what a small case may need, or by what a request of a large one may.
const (
	leastTelemetry      = 1 << 30
	telemetryPerRequest = 8 << 10 // six times what the reference proxy tells of one
)

func (s *stage) receive(ctx context.Context) (err error) {
	s.receiver, err = otlp.Start(context.WithoutCancel(ctx), otlp.Config{
		Path: s.engine.cfg.Dir.Spans(s.c.ref), MaxBytes: max(leastTelemetry, int64(s.c.requests())*telemetryPerRequest),
	})
	if err != nil {
		return fmt.Errorf("start the span receiver: %w", err)
	}
	return nil
}

func (s *stage) plan(endpoints []string) (*targets.Plan, error) {
	listen, err := s.engine.ports.Address()
	if err != nil {
		return nil, err
	}
	admin, err := s.engine.ports.Address()
	if err != nil {
		return nil, err
	}
	s.wants = targets.Wants{
		Given: s.engine.cfg.given(s.c.Case), Requires: slices.Clone(s.c.Requires), Backends: endpoints,
		Listen: listen, Admin: admin, OTLP: s.receiver.Endpoint(), OTLPGRPC: s.receiver.GRPC(), Dir: s.engine.cfg.Dir.Target(s.c.ref),
		TLS: s.keys.files,
	}
	return s.engine.cfg.Target.Plan(s.wants)
}

// wireTarget says to the clients where requests go and what they carry.
func (s *stage) wireTarget() wire.Target {
	r := s.target.plan.Request
	t := wire.Target{Address: s.address, Host: r.Host, Prefix: r.Prefix}
	for _, name := range sortedKeys(r.Headers) {
		t.Fields = append(t.Fields, http1.Field{Name: name, Value: r.Headers[name]})
	}
	t.TLS = s.target.plan.TLS
	return t
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
