package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/engine"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/export"
	"gauntlet/scenarios/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	start = int64(1_700_000_000_000_000_000)
	ms    = int64(1e6)
)

func ref(name string) evidence.CaseRef {
	return evidence.CaseRef{Scenario: "test/export", Slug: name, Repetition: 1}
}

// left makes the directory of a run with these cases, planned and not yet run.
func left(t *testing.T, cases ...evidence.CaseRef) evidence.Dir {
	t.Helper()
	dir := evidence.Dir(t.TempDir())
	require.NoError(t, dir.SaveRun(&evidence.Run{
		Schema: evidence.RunSchema, Target: evidence.RunTarget{Name: "edge", Version: "1.4"},
		Started: "2026-06-15T12:00:00Z", Seconds: 2, Seed: 7, Cases: cases,
	}))
	return dir
}

// ran leaves the evidence of a case of n exchanges: each is answered by backend
// 1, but that each tenth was refused with 502 before any backend saw it.
func ran(t *testing.T, dir evidence.Dir, c evidence.CaseRef, n int) {
	t.Helper()
	run := uint64(len(c.Slug)) << 40
	require.NoError(t, os.MkdirAll(dir.Case(c), 0o755))
	require.NoError(t, dir.SaveCase(&evidence.Case{
		Schema: evidence.CaseSchema, Scenario: c.Scenario, Slug: c.Slug, Repetition: c.Repetition, Run: run, Sent: uint64(n), Backends: 1,
		Groups: []evidence.Group{{Name: "first"}, {Name: "steady", Load: true}},
	}))
	clients, err := book.Create(dir.ClientBook(c), book.Header{Kind: book.ClientBook, Run: run})
	require.NoError(t, err)
	backend, err := book.Create(dir.BackendBook(c, 1), book.Header{Kind: book.BackendBook, Party: 1, Run: run})
	require.NoError(t, err)
	for i := range n {
		seq := uint64(i + 1)
		at := start + int64(seq)*10*ms
		x := book.Client{
			Seq: seq, Group: 1, Method: book.GET, End: book.EndLength, Flags: book.SentAll | book.Idempotent | book.WholeHead,
			Conn: 3, Nth: uint32(seq), Status: 502, RespBytes: 12, RespBad: 0, RespSum: 99,
			Intended: at, Started: at + 1500, FirstByte: at + 3*ms, Ended: at + 3*ms,
		}
		if seq%10 != 0 {
			x.Status, x.RespBytes, x.RespBad, x.RespSum = 200, 64, -1, seq
			x.Flags |= book.Echoed | book.Generated
			require.NoError(t, backend.Append(&book.Arrival{
				Run: run, Seq: seq, Backend: 1, Conn: 5, Nth: uint32(seq), Method: book.GET, Flags: book.HeadWhole | book.BodyWhole, ReqBad: -1, Time: at + ms, Whole: at + ms,
			}))
			require.NoError(t, backend.Append(&book.Departure{
				Seq: seq, Backend: 1, Conn: 5, Nth: uint32(seq), Status: 200, End: book.EndLength, Flags: book.AnswerBegun | book.AnswerWhole | book.HeadWhole | book.BodyWhole,
				RespBytes: 64, RespBad: -1, RespSum: seq, ReqBad: -1, FirstByte: at + 2*ms, Time: at + 2*ms,
			}))
		}
		require.NoError(t, clients.Append(&x))
	}
	require.NoError(t, clients.Seal())
	require.NoError(t, clients.Close())
	require.NoError(t, backend.Seal())
	require.NoError(t, backend.Close())
}

// written exports the run as Parquet, and reads it back.
func written(t *testing.T, dir evidence.Dir) (*export.Summary, *parquet.File, []export.Row) {
	t.Helper()
	var to bytes.Buffer
	p := export.NewParquet(&to)
	summary, err := export.Run(t.Context(), dir, p)
	require.NoError(t, err)
	require.NoError(t, p.Close())
	f, err := parquet.OpenFile(bytes.NewReader(to.Bytes()), int64(to.Len()))
	require.NoError(t, err)
	rows, err := parquet.Read[export.Row](bytes.NewReader(to.Bytes()), int64(to.Len()))
	require.NoError(t, err)
	return summary, f, rows
}

func TestARowForEveryExchange(t *testing.T) {
	dir := left(t, ref("a"), ref("bb"))
	ran(t, dir, ref("a"), 2500) // more than is handed on at a time
	ran(t, dir, ref("bb"), 30)
	summary, f, rows := written(t, dir)
	require.Empty(t, summary.Gaps)
	require.Equal(t, 2, summary.Cases)

	want, got := map[string]int{}, map[string]int{}
	sent := 0
	for _, c := range []string{"a", "bb"} {
		_, l, err := engine.Ledger(dir, ref(c))
		require.NoError(t, err)
		sent += l.Sent()
		for _, o := range ledger.Outcomes() {
			if n := l.Count(o); n > 0 {
				want[c+" "+o.String()] = n
			}
		}
	}
	require.Equal(t, map[string]int{"a delivered": 2250, "a rejected": 250, "bb delivered": 27, "bb rejected": 3}, want)
	ids := map[string]bool{}
	for _, r := range rows {
		got[r.Case+" "+r.Outcome]++
		ids[r.Exchange] = true
	}
	require.Equal(t, want, got)
	require.Len(t, ids, sent, "an exchange stands there once")
	require.Equal(t, sent, summary.Rows)
	require.Equal(t, map[ledger.Outcome]int{ledger.Delivered: 2277, ledger.Rejected: 253}, summary.Outcomes)
	schema, ok := f.Lookup("gauntlet.schema")
	require.True(t, ok)
	require.Equal(t, export.Schema, schema)
}

func TestWhatARowSays(t *testing.T) {
	dir := left(t, ref("a"))
	ran(t, dir, ref("a"), 10)
	summary, _, rows := written(t, dir)
	id := exchange.ID{Run: 1 << 40, Seq: 1}
	at := (start + 10*ms) / 1000
	row := export.Row{
		Run: summary.Run, Target: "edge", TargetVersion: "1.4", Scenario: "test/export", Case: "a", Repetition: 1,
		Exchange: id.String(), Trace: id.Traceparent()[3:35], Client: "steady", Load: true,
		Protocol: "HTTP/1.1", Method: "GET", Status: 200, EndedBy: "length", Outcome: "delivered", Rule: "whole",
		Intended: at, Started: at + 1, FirstByte: at + 3000, Ended: at + 3000, BytesDown: 64,
		Attempts: 1, Backend: 1, BackendConn: 5, Conn: 3, Nth: 1,
	}
	require.Equal(t, row, rows[0])
	none := rows[9]
	require.Equal(t, []any{"rejected", "said-so", int32(502), int32(0), int32(0)}, []any{none.Outcome, none.Rule, none.Status, none.Attempts, none.Backend})
	require.Regexp(t, `^[0-9a-f]{16}$`, summary.Run)
}

func TestBothFormatsSayTheSame(t *testing.T) {
	dir := left(t, ref("a"))
	ran(t, dir, ref("a"), 20)
	var to bytes.Buffer
	c := export.NewCSV(&to)
	_, err := export.Run(t.Context(), dir, c)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	lines, err := csv.NewReader(&to).ReadAll()
	require.NoError(t, err)
	_, f, rows := written(t, dir)
	require.Len(t, lines, 1+len(rows))
	var names []string
	for _, column := range f.Schema().Columns() {
		names = append(names, column[0])
	}
	require.Equal(t, names, lines[0])
	of := map[string]int{}
	for i, name := range names {
		of[name] = i
	}
	for i, r := range rows {
		line := lines[i+1]
		require.Equal(t, []string{r.Exchange, r.Outcome, r.Rule, strconv.Itoa(int(r.Status))}, []string{line[of["exchange_id"]], line[of["outcome"]], line[of["rule"]], line[of["status"]]})
		at, err := time.Parse(time.RFC3339Nano, line[of["started_at"]])
		require.NoError(t, err)
		require.Equal(t, r.Started, at.UnixMicro())
		backend := ""
		if r.Backend != 0 {
			backend = strconv.Itoa(int(r.Backend))
		}
		require.Equal(t, backend, line[of["backend"]], "what never happened is empty, not 0")
	}
}

func TestWhatIsNotThereIsNamed(t *testing.T) {
	dir := left(t, ref("a"), ref("bb"), ref("ccc"), ref("dddd"))
	for _, name := range []string{"a", "bb", "ccc"} {
		ran(t, dir, ref(name), 10)
	}
	require.NoError(t, os.Remove(dir.ClientBook(ref("bb"))))
	require.NoError(t, os.Truncate(dir.ClientBook(ref("ccc")), 4*128)) // the head and three records
	summary, _, rows := written(t, dir)
	require.Len(t, rows, 10+3)
	require.Len(t, summary.Gaps, 3)
	require.Contains(t, summary.Gaps[0], filepath.Join("test", "export", "bb")+": read book: open ")
	require.Contains(t, summary.Gaps[1], "ccc: the client book is not sealed")
	require.Contains(t, summary.Gaps[2], "dddd: it has not run")
}

func TestARunThatIsNone(t *testing.T) {
	_, err := export.Run(t.Context(), evidence.Dir(t.TempDir()))
	require.ErrorIs(t, err, evidence.ErrIncomplete)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := left(t, ref("a"))
	ran(t, dir, ref("a"), 1)
	_, err = export.Run(ctx, dir)
	require.ErrorIs(t, err, context.Canceled)
}
