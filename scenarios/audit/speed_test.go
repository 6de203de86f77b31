package audit_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

// BenchmarkAudit audits a hundred thousand exchanges.
func BenchmarkAudit(b *testing.B) {
	const exchanges = 100_000
	s := newScene()
	for seq := uint64(9); seq <= exchanges; seq++ {
		s.exchange(seq)
	}
	s.meter()
	s.facts.Case.Sent = exchanges
	l, err := ledger.Join(s.books)
	require.NoError(b, err)
	s.facts.Ledger, s.facts.Spans, s.facts.Log = l, &s.spans, &s.log
	s.facts.Before, s.facts.After = scraped(b, s.before, start), scraped(b, s.after, at(exchanges+10))
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range audit.Run(&s.facts) {
			require.Zero(b, r.Count, "%s: %+v", r.Name, r.Disagreements)
		}
	}
}

// BenchmarkParseLog reads the lines of a hundred thousand exchanges.
func BenchmarkParseLog(b *testing.B) {
	var text bytes.Buffer
	for seq := uint64(1); seq <= 100_000; seq++ {
		id := exchange.ID{Run: run, Seq: seq}
		trace := id.TraceID()
		fmt.Fprintf(&text, `{"level":"INFO","msg":"exchange","ts":"2026-11-21T17:59:50.882034284Z","trace_id":"%s","span_id":"1eccde4fd5f5d3b1","x_gauntlet_id":"%s","client":"127.0.0.1:44620","method":"DELETE","protocol":"HTTP/1.1","host":"127.0.0.1:20200","path":"/a","status":200,"bytes":307200,"duration_ms":4.346,"attempts":1,"upstream":"backend","endpoint":"127.0.0.1:42071"}`+"\n", hex.EncodeToString(trace[:]), id)
	}
	b.ReportAllocs()
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		l, err := audit.ParseLog(bytes.NewReader(text.Bytes()), run, evidence.Fields{})
		require.NoError(b, err)
		require.Len(b, l.Lines, 100_000)
	}
}
