package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"gauntlet/chaos/relay"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/units"
)

// chaosAccount is what came of a relay: the document of --receipts.
type chaosAccount struct {
	Schema      string         `json:"schema"` // gauntlet.chaos/v1
	Listen      string         `json:"listen"`
	To          string         `json:"to"`
	Seed        uint64         `json:"seed"`
	Began       time.Time      `json:"began"`
	Seconds     float64        `json:"seconds"`
	Connections uint32         `json:"connections"`
	Windows     []chaosTouched `json:"windows"`
	Receipts    []chaosReceipt `json:"receipts"`
	Answers     []chaosAnswer  `json:"answers"`
}

// chaosTouched sums a window up. Times count from the start.
type chaosTouched struct {
	Window      uint16  `json:"window"`
	Name        string  `json:"name,omitempty"`
	Fault       string  `json:"fault"`
	From        string  `json:"from"`
	Until       string  `json:"until,omitempty"`
	Share       float64 `json:"share,omitempty"`
	Connections int     `json:"connections"`
	Answers     int     `json:"answers"`
	Times       uint64  `json:"times"`
	Bytes       int64   `json:"bytes"`
	Cut         int     `json:"cut"`
}

// chaosReceipt is one connection that a window touched; connection 0 is the
// whole link.
type chaosReceipt struct {
	Window     uint16    `json:"window"`
	Connection uint32    `json:"connection"`
	ClientPort uint16    `json:"client_port,omitempty"`
	ServerPort uint16    `json:"own_port_towards_server,omitempty"`
	Times      uint32    `json:"times"`
	Bytes      int64     `json:"bytes"`
	Cut        bool      `json:"cut"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
}

// chaosAnswer is one answer that a window changed, as it was sent.
type chaosAnswer struct {
	Window     uint16    `json:"window"`
	Connection uint32    `json:"connection"`
	Answer     uint32    `json:"answer"` // 0: no server gave it
	Exchange   string    `json:"exchange,omitempty"`
	Status     uint16    `json:"status"`
	Interim    uint16    `json:"interim"`
	End        string    `json:"end"`
	Body       int64     `json:"body_bytes"`
	Surplus    int64     `json:"surplus_bytes"`
	Sent       int64     `json:"sent_bytes"`
	At         time.Time `json:"at"`
}

func account(c chaosCmd, at string, began time.Time, stats relay.Stats, windows []relay.Window, b *book.Book) chaosAccount {
	a := chaosAccount{
		Schema: "gauntlet.chaos/v1", Listen: at, To: c.To, Seed: c.Seed, Began: began.UTC(), Seconds: time.Since(began).Seconds(), Connections: stats.Accepted,
		Receipts: []chaosReceipt{}, Answers: []chaosAnswer{},
	}
	for _, w := range windows {
		t := chaosTouched{Window: w.Number, Name: w.Name, Fault: w.Fault.String(), From: units.Duration(w.From).String(), Share: w.Share}
		if w.Until > 0 {
			t.Until = units.Duration(w.Until).String()
		}
		a.Windows = append(a.Windows, t)
	}
	for i := range b.Receipts {
		r := &b.Receipts[i]
		t := &a.Windows[r.Window-1]
		t.Times, t.Bytes = t.Times+uint64(r.Count), t.Bytes+r.Bytes
		if r.Conn > 0 {
			t.Connections++
		}
		t.Cut += int(r.Cut)
		a.Receipts = append(a.Receipts, chaosReceipt{r.Window, r.Conn, r.InPort, r.OutPort, r.Count, r.Bytes, r.Cut != 0, time.Unix(0, r.From).UTC(), time.Unix(0, r.Until).UTC()})
	}
	for i := range b.Altered {
		r := &b.Altered[i]
		a.Windows[r.Window-1].Answers++
		id := ""
		if r.Seq != 0 {
			id = exchange.ID{Run: r.Run, Seq: r.Seq}.String()
		}
		a.Answers = append(a.Answers, chaosAnswer{r.Window, r.Conn, r.Nth, id, r.Status, r.Interim, r.End.String(), r.Body, r.Surplus, r.Wire, time.Unix(0, r.Time).UTC()})
	}
	return a
}

func (a chaosAccount) save(path string) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("--receipts: %w", err)
	}
	return nil
}

// say gives the summary.
func (a chaosAccount) say(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "chaos: %d connections in %.1f s, seed %d\n", a.Connections, a.Seconds, a.Seed)
	for _, w := range a.Windows {
		fmt.Fprintf(&b, "  %s, %s: ", windowTitle(w.Window, w.Name, w.Fault), span(w))
		switch {
		case w.Times == 0:
			b.WriteString("touched nothing\n")
		case w.Connections == 0:
			fmt.Fprintf(&b, "acted on the connects of the whole link (%d counted)\n", w.Times)
		default:
			fmt.Fprintf(&b, "touched %d connections, %d bytes, cut %d", w.Connections, w.Bytes, w.Cut)
			if w.Answers > 0 {
				fmt.Fprintf(&b, "; changed %d answers", w.Answers)
			}
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func windowTitle(n uint16, name, fault string) string {
	if name != "" {
		return fmt.Sprintf("%d %s %s", n, name, fault)
	}
	return fmt.Sprintf("%d %s", n, fault)
}

func span(w chaosTouched) string {
	s := "from " + w.From
	if w.Until != "" {
		s += " until " + w.Until
	}
	if w.Share > 0 && w.Share < 1 {
		s += fmt.Sprintf(" on %.4g %%", 100*w.Share)
	}
	return s
}

// chaosProgress tells when windows open and close, and on a terminal how the
// relay stands.
type chaosProgress struct {
	out      io.Writer
	terminal bool
	windows  []relay.Window
	began    time.Time
	open     []uint16
}

// run tells until ctx ends.
func (p *chaosProgress) run(ctx context.Context, r *relay.Relay) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		p.look(r.Stats())
		select {
		case <-tick.C:
		case <-ctx.Done():
			if p.terminal {
				_, _ = fmt.Fprintln(p.out) // whoever is gone need not be told
			}
			return
		}
	}
}

func (p *chaosProgress) look(s relay.Stats) {
	lead := ""
	if p.terminal {
		lead = "\r\x1b[K"
	}
	at := time.Since(p.began).Seconds()
	for _, w := range p.windows {
		is, was := slices.Contains(s.Open, w.Number), slices.Contains(p.open, w.Number)
		if is == was {
			continue
		}
		what := "closes"
		if is {
			what = "opens"
		}
		_, _ = fmt.Fprintf(p.out, "%s%7.1f s  %s %s\n", lead, at, windowTitle(w.Number, w.Name, w.Fault.String()), what)
	}
	p.open = s.Open
	if p.terminal {
		_, _ = fmt.Fprintf(p.out, "%s%7.1f s  %d connections, %d under way, %d of %d windows open", lead, at, s.Accepted, s.Under, len(s.Open), len(p.windows))
	}
}
