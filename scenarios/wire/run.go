package wire

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/script"
)

// DefaultDeadline is how long an exchange may take when nobody says otherwise.
const DefaultDeadline = 10 * time.Second

// Config is what scripted clients need to run.
type Config struct {
	Target   Target
	Roots    *x509.CertPool // who vouches for the target; nil trusts nobody
	Shown    []byte         // the certificate that it showed at first, in DER
	Clients  []Client
	IDs      *IDs
	Book     *book.Writer
	Group    uint16            // of the first client; the others follow
	Hub      *script.Hub       // barriers shared with the backends
	Seed     uint64            // of what is drawn
	Deadline time.Duration     // of an exchange; 0 means DefaultDeadline
	Witness  bool              // tell what was answered, see Result.Answers
	Observe  func(book.Client) // called with each final record if set, from several goroutines
}

// A Result is what the clients of a run say beside the book.
type Result struct {
	Names      map[string]uint64 // exchange name → sequence number
	Mismatches []Mismatch
	Answers    []Answer // where Config.Witness asks for them
}

// A Mismatch is a step that met something else than it asked for. It fails
// nothing by itself.
type Mismatch struct {
	Client   string // name, or number from 1
	Exchange uint64
	Step     string
	Want     string
	Got      string
}

// Run runs the clients to their end and waits for all they started. Clients
// are to be valid, see Validate. When ctx is done, what is unanswered ends as
// abandoned and the error wraps ctx's cause. An error that wraps ErrLocal, or
// one of the book, means that the measuring side failed.
func Run(ctx context.Context, cfg Config) (Result, error) {
	r := &run{cfg: cfg, names: map[string]uint64{}}
	if r.cfg.Deadline == 0 {
		r.cfg.Deadline = DefaultDeadline
	}
	ctx, r.fail = context.WithCancelCause(ctx)
	defer r.fail(nil)
	ended := make(map[string]chan struct{}, len(cfg.Clients))
	for i := range cfg.Clients {
		ended[cfg.Clients[i].Name] = make(chan struct{})
	}
	var all sync.WaitGroup
	for i := range cfg.Clients {
		all.Go(func() {
			c := &cfg.Clients[i]
			defer r.close(ended, c.Name)
			for _, name := range c.After {
				select {
				case <-ended[name]:
				case <-ctx.Done():
					return
				}
			}
			r.several(ctx, i)
		})
	}
	all.Wait()
	res := Result{Names: r.names, Mismatches: r.mismatches, Answers: r.answers}
	if err := context.Cause(ctx); err != nil {
		return res, fmt.Errorf("wire clients: %w", err)
	}
	return res, nil
}

// run is what the clients of one Run share.
type run struct {
	cfg  Config
	fail context.CancelCauseFunc

	mu         sync.Mutex
	names      map[string]uint64
	mismatches []Mismatch
	answers    []Answer
}

// close tells that a named client has ended. Unnamed ones share a channel that
// nobody waits for.
func (r *run) close(ended map[string]chan struct{}, name string) {
	if name != "" {
		close(ended[name])
	}
}

// several runs one client as many times as it says, at once.
func (r *run) several(ctx context.Context, i int) {
	c := &r.cfg.Clients[i]
	var all sync.WaitGroup
	for n := range c.times() {
		all.Go(func() {
			p := &player{
				run: r, client: c, group: r.cfg.Group + uint16(i), label: label(c, i),
				rng: rand.New(rand.NewPCG(r.cfg.Seed, uint64(i)<<32|uint64(n))),
			}
			p.play(ctx)
			p.testify()
		})
	}
	all.Wait()
}

func label(c *Client, i int) string {
	if c.Name != "" {
		return c.Name
	}
	return fmt.Sprintf("client %d", i+1)
}

// record takes a final record.
func (r *run) record(rec book.Client) {
	if err := r.cfg.Book.Append(&rec); err != nil {
		r.fail(err)
	}
	if r.cfg.Observe != nil {
		r.cfg.Observe(rec)
	}
}

// dial connects for an exchange. When that fails the exchange has ended
// refused, and its record is given instead.
func (p *player) dial(ctx context.Context, x *Exchange) (carrier, *book.Client) {
	began := time.Now()
	c, err := p.connect(ctx)
	if err == nil {
		return c, nil
	}
	if errors.Is(err, ErrLocal) {
		p.fail(err)
	}
	switch {
	case unfit(err):
		p.mismatch(Mismatch{Client: p.label, Exchange: x.id.Seq, Step: "tls", Want: "a certificate for " + p.client.TLS.name(), Got: err.Error()})
	case errors.Is(err, errNoH2):
		p.mismatch(Mismatch{Client: p.label, Exchange: x.id.Seq, Step: "tls", Want: "h2", Got: err.Error()})
	}
	rec := x.Refused(ctx, began, err)
	p.record(rec)
	return nil, &rec
}

func (p *player) connect(ctx context.Context) (carrier, error) {
	t, number := p.cfg.Target.Under(p.client.TLS, p.cfg.Roots), p.cfg.IDs.Conn()
	if p.client.h2() {
		m, err := DialMux(ctx, t, number, p.record)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
	c, err := Dial(ctx, t, number, p.record)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (r *run) name(as string, seq uint64) {
	if as == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[as] = seq
}

func (r *run) mismatch(m Mismatch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mismatches = append(r.mismatches, m)
}
