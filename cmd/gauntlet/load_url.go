package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/reports"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/slo"
	"gauntlet/scenarios/wire"
)

// offerTo offers the load to a proxy that runs already. Nothing is known of
// what is behind it, so no outcome is told: only what the client saw.
func (c loadCmd) offerTo(ctx context.Context, w *world, l *load.Load) error {
	target, err := wireTarget(c.URL)
	if err != nil {
		return usage(err)
	}
	dir, err := outDir(c.Out, "load-")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(dir), 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	run := c.Seed | uint64(time.Now().UnixNano())<<20
	path := filepath.Join(string(dir), "client.book")
	writer, err := book.Create(path, book.Header{Kind: book.ClientBook, Run: run})
	if err != nil {
		return err
	}
	res, err := load.Run(ctx, load.Config{Target: target, Load: *l, IDs: wire.NewIDs(run), Book: writer, Seed: c.Seed})
	if err := errors.Join(err, writer.Seal()); err != nil {
		return err
	}
	seen, err := book.Read(path)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(w.Stdout, clientOnly(res, seen), "evidence      ", dir, "\n"); err != nil {
		return err
	}
	if res.Short() {
		return verdict(reports.Invalid, false)
	}
	return nil
}

// wireTarget reads the URL. Only loopback is offered load: whoever is
// somewhere else has not been asked.
func wireTarget(text string) (wire.Target, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return wire.Target{}, fmt.Errorf("--url: found %q; allowed: http://HOST:PORT with a path before every request's if need be", text)
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "80"
	}
	addr, err := netip.ParseAddr(host)
	if host == "localhost" {
		addr, err = netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	if err != nil || !addr.IsLoopback() {
		return wire.Target{}, fmt.Errorf("--url: found host %q; allowed: localhost or an address on loopback", host)
	}
	return wire.Target{Address: net.JoinHostPort(addr.String(), port), Host: u.Host, Prefix: strings.TrimSuffix(u.EscapedPath(), "/")}, nil
}

// clientOnly says what the client saw.
func clientOnly(res load.Result, seen *book.Book) string {
	var b strings.Builder
	offered(&b, res.Planned, res.Sent, res.Late, res.MaxLate, res.MaxWorkers)
	var took []time.Duration
	answers := map[string]int{}
	good := 0
	for i := range seen.Clients {
		r := &seen.Clients[i]
		took = append(took, time.Duration(r.Ended-r.Intended))
		as := r.End.String()
		if r.End.Clean() && r.Status != 0 {
			as = fmt.Sprint(r.Status)
			if r.Status < 500 {
				good++
			}
		}
		answers[as]++
	}
	if len(took) > 0 {
		slices.Sort(took)
		at := func(q float64) reports.Millis { return reports.MillisOf(slo.Quantile(took, q)) }
		latencies(&b, &reports.LatencyMS{Count: len(took), P50: at(.5), P90: at(.9), P95: at(.95), P99: at(.99), Max: at(1)})
		fmt.Fprintf(&b, "availability  %.3f %%, answered whole and below 500 of sent\n", 100*float64(good)/float64(len(took)))
	}
	var parts []string
	for _, as := range slices.Sorted(maps.Keys(answers)) {
		parts = append(parts, fmt.Sprintf("%s ×%d", as, answers[as]))
	}
	fmt.Fprintf(&b, "answers       %s\n", strings.Join(parts, ", "))
	fmt.Fprintf(&b, "ledger        unknown %d of %d: client only, there is no book of a backend\n", len(took), len(took))
	return b.String()
}
