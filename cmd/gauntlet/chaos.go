package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gauntlet/chaos/relay"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/units"
)

type chaosCmd struct {
	Listen    string         `help:"Where the client shall connect from now on." required:"" placeholder:"HOST:PORT"`
	To        string         `help:"Where the server is." required:"" placeholder:"HOST:PORT"`
	Fault     []string       `help:"What goes wrong, as in scenario files; may be given several times. See gauntlet list faults." placeholder:"FAULT" sep:"none"`
	File      string         `help:"Instead, or as well: windows from a file." type:"path" placeholder:"FILE"`
	From      units.Duration `help:"When the windows of --fault open." default:"0s"`
	Until     units.Duration `help:"When they close; default: at the end." placeholder:"TIME"`
	Share     string         `help:"Of the connections, or of the answers where the fault acts on answers, such as 10%; default: all." placeholder:"SHARE"`
	Direction string         `help:"up, down or both; default: as the fault leans." enum:",up,down,both" default:"" placeholder:"WAY"`
	For       units.Duration `help:"Ends by itself after so long; default: at SIGINT." placeholder:"TIME"`
	Seed      uint64         `help:"Of everything drawn; default: one made up and printed."`
	Receipts  string         `help:"File for what was touched, as JSON." type:"path" placeholder:"FILE"`
	AllowHost []string       `help:"Hosts beyond loopback to listen on or connect to. Whoever is there must have agreed." placeholder:"HOST"`
}

// Help shows examples.
func (chaosCmd) Help() string {
	return `Stands between any client and any server, on TCP, and lets go wrong what it is told to, when it is told to. Without an open window it passes every byte, FIN and RST on as it came. Receipts say which connection each window touched, how often, how many bytes, and of a fault on HTTP/1 answers what was sent in their place. SIGINT and SIGTERM end it, write the receipts and a summary.

Windows in a file have the grammar of faults in a scenario, without link:

  faults:
    - {name: slow, fault: {latency: 200ms}, from: 5s, until: 10s}
    - {name: cut, fault: {reset: {after: 10KiB}}, from: 10s, until: 20s, share: 10%, direction: down}

Examples:

  $ gauntlet chaos --listen 127.0.0.1:9001 --to 127.0.0.1:8001 --fault 'latency: 200ms'
  $ gauntlet chaos --listen 127.0.0.1:5433 --to 127.0.0.1:5432 --fault reset --from 5s --until 10s --share 10% --seed 7
  $ gauntlet chaos --listen 127.0.0.1:9001 --to 127.0.0.1:8001 --fault 'wrong-length: -5' --receipts receipts.json
  $ gauntlet chaos --listen 127.0.0.1:9001 --to 127.0.0.1:8001 --file windows.yaml --for 1m`
}

// Run relays until it is told to stop.
func (c chaosCmd) Run(ctx context.Context, w *world) error {
	if c.Seed == 0 {
		c.Seed = madeUpSeed()
	}
	windows, err := c.windows()
	if err != nil {
		return usage(err)
	}
	for _, at := range []struct{ flag, address string }{{"--listen", c.Listen}, {"--to", c.To}} {
		if err := c.allowed(at.flag, at.address); err != nil {
			return usage(err)
		}
	}
	dir, err := os.MkdirTemp("", "gauntlet-chaos-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "faults.book")
	receipts, err := book.Create(path, book.Header{Kind: book.FaultBook, Run: c.Seed})
	if err != nil {
		return err
	}
	// The end of ctx ends the relay by Close alone, so that nothing is lost.
	r, err := relay.Start(context.WithoutCancel(ctx), relay.Config{Listen: c.Listen, To: c.To, Link: 1, Windows: windows, Seed: c.Seed, Book: receipts})
	if errors.Is(err, relay.ErrConfig) {
		return errors.Join(usage(err), receipts.Close())
	}
	if err != nil {
		return errors.Join(err, receipts.Close())
	}
	began := time.Now()
	r.Begin(began)
	_, said := fmt.Fprintf(w.Stderr, "chaos: %s to %s, seed %d\n", r.Addr(), c.To, c.Seed)
	if c.For > 0 {
		limited, cancel := context.WithTimeout(ctx, c.For.D())
		defer cancel()
		ctx = limited
	}
	live := chaosProgress{out: w.Stderr, terminal: isTerminal(w.Stderr), windows: windows, began: began}
	live.run(ctx, r)
	stats := r.Stats()
	if err := errors.Join(said, r.Close(), receipts.Seal()); err != nil {
		return err
	}
	touched, err := book.Read(path)
	if err != nil {
		return err
	}
	a := account(c, r.Addr(), began, stats, windows, touched)
	if c.Receipts != "" {
		if err := a.save(c.Receipts); err != nil {
			return err
		}
	}
	return a.say(w.Stdout)
}

// allowed refuses an address beyond loopback that nobody named: whoever is
// there has not been asked.
func (c chaosCmd) allowed(flag, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: found %q; allowed: HOST:PORT", flag, address)
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() || slices.Contains(c.AllowHost, host) {
		return nil
	}
	return fmt.Errorf("%s: found host %q; allowed: localhost, an address on loopback, or one that --allow-host names", flag, host)
}
