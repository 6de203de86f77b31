package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
)

type tapCmd struct {
	Listen string `help:"Where the proxy shall find the backend from now on." required:"" placeholder:"HOST:PORT"`
	To     string `help:"Where the backend is." required:"" placeholder:"HOST:PORT"`
	Book   string `help:"File for its book, which must not exist, or a directory for a new one." type:"path" placeholder:"FILE|DIR"`
	Format string `help:"How to tell of each request: text, json, or none." enum:"text,json,none" default:"text"`
}

// Help shows examples.
func (tapCmd) Help() string {
	return `Passes every byte, FIN and RST on as it came, adds no header, refuses connections while the backend refuses them, and says of each request what came of it when it is over: the exchange that X-Gauntlet-Id names, how much of the request came, what the backend answered, and how the answer ended. SIGINT and SIGTERM end it.

It reads HTTP/1. HTTP/2 and TLS pass, too, but of their requests nothing can be told; the last line counts such connections.

In a run, taps stand in the target file (backends: {tap: [...]}), and nothing needs to be started by hand.

Examples:

  $ gauntlet tap --listen 127.0.0.1:9001 --to 127.0.0.1:8001
  $ gauntlet tap --listen :9001 --to 10.0.0.7:80 --book books/ --format json`
}

// Run relays until it is told to stop.
func (c tapCmd) Run(ctx context.Context, w *world) error {
	path := c.Book
	if i, err := os.Stat(path); err == nil && i.IsDir() {
		path = filepath.Join(path, "tap-"+time.Now().UTC().Format("20060102-150405.000")+".book")
	}
	out := &tapLines{to: w.Stdout, format: c.Format}
	// The end of ctx is told to Stop alone, so that nothing is cut before its time.
	tap, err := backend.StartTap(context.WithoutCancel(ctx), backend.TapConfig{Number: 1, Listen: c.Listen, To: c.To, Book: path, Seen: out.seen})
	if errors.Is(err, backend.ErrConfig) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	if err := tap.Begin(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w.Stderr, "tap: %s to %s\n", tap.Addr(), c.To); err != nil {
		return errors.Join(err, tap.Stop(ctx))
	}
	<-ctx.Done()
	if err := tap.Stop(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return tapSummary(w.Stderr, tap, path)
}

// tapLines tells of requests, one line each.
type tapLines struct {
	mu     sync.Mutex
	to     io.Writer
	format string
}

// tapLine is a request as JSON tells it.
type tapLine struct {
	At       time.Time `json:"at"`
	Exchange string    `json:"exchange,omitempty"`
	Conn     uint32    `json:"connection"`
	Nth      uint32    `json:"request"`
	Method   string    `json:"method"`
	Whole    bool      `json:"request_whole"`
	Asked    int64     `json:"request_bytes"`
	Status   uint16    `json:"status,omitempty"`
	Answered int64     `json:"answer_bytes"`
	Complete bool      `json:"answer_whole"`
	End      string    `json:"end"`
	Millis   float64   `json:"ms"`
}

func (l *tapLines) seen(s backend.Sighting) {
	if l.format == "none" {
		return
	}
	t := tapLine{
		At: time.Unix(0, s.Time).UTC(), Conn: s.Conn, Nth: s.Nth, Method: s.Method.String(),
		Whole: s.Flags&book.BodyWhole != 0, Asked: s.ReqBytes, Status: s.Answer.Status, Answered: s.Answer.RespBytes,
		Complete: s.Answer.Flags&book.AnswerWhole != 0, End: s.Answer.End.String(), Millis: float64(max(0, s.Answer.Time-s.Time)) / 1e6,
	}
	if s.Flags&book.NoID == 0 {
		t.Exchange = exchange.ID{Run: s.Run, Seq: s.Seq}.String()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.format == "json" {
		_ = json.NewEncoder(l.to).Encode(t) // the book is the record; whoever closed the pipe wants no lines
		return
	}
	_, _ = fmt.Fprintln(l.to, t)
}

// String is the line for people.
func (t tapLine) String() string {
	id, request, answer := "no id", "in part", "no answer"
	if t.Exchange != "" {
		id = t.Exchange
	}
	if t.Whole {
		request = fmt.Sprintf("whole, %d bytes", t.Asked)
	}
	if t.Status != 0 {
		answer = fmt.Sprintf("%d in part, %d bytes", t.Status, t.Answered)
		if t.Complete {
			answer = fmt.Sprintf("%d whole, %d bytes", t.Status, t.Answered)
		}
	}
	return fmt.Sprintf("%s  %s  connection %d request %d  %s %s  %s, ended by %s  %.1f ms", t.At.Format("15:04:05.000"), id, t.Conn, t.Nth, t.Method, request, answer, t.End, t.Millis)
}

func tapSummary(out io.Writer, tap *backend.Tap, path string) error {
	a, s := tap.Account(), tap.Stats()
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, "tap: "+format+"\n", args...) }
	say("%d connections, %d requests recorded; %d without an id (the first %d are recorded)", s.Accepted, s.Requests, a.Anonymous, backend.MaxAnonymous)
	if a.Refused > 0 {
		say("%d connections were let in and then reset, since the backend refused: without the tap they had been refused", a.Refused)
	}
	for _, why := range slices.Sorted(maps.Keys(a.Unread)) {
		say("%d connections passed unread: %s. The book is not sealed", a.Unread[why], why)
	}
	if path != "" {
		say("book %s", path)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
