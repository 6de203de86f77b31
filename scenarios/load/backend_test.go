package load_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/backend"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/script"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/wire"
)

// The mix of the catalogue against the scripted backend with nothing between:
// both books must agree on every exchange, body for body.
func TestAMixWithNoProxyBetweenIsFlawless(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backend.book")
	b, err := backend.Start(t.Context(), backend.Config{
		Number: 1, Listen: "127.0.0.1:0", Run: run, Book: path,
		Rules: []script.Rule{{Do: []script.Step{{Read: &script.Read{Until: script.UntilRequest}}, {AsAsked: true}}}},
	})
	require.NoError(t, err)
	require.NoError(t, b.Begin())
	l := read(t, `
rate: 200/s
for: 2s
deadline: 60s
mix:
  method: {GET: 60, POST: 20, PUT: 8, DELETE: 6, HEAD: 4, OPTIONS: 2, PATCH: 3}
  path: legal
  fields: {count: [0, 3, 20], long: [0, 2KiB], cookies: [0, 30]}
  body: {size: [0, 1, 64, 4KiB, 64KiB, 256KiB], chunked: 0.4, pace: {full: 0.9, 4MiB/s: 0.1}, deletes: 0.5, trailers: 0.5}
  answer: {status: [200, 204, 206, 304], size: [0, 1, 128, 16KiB, 300KiB], chunked: 0.5, trailers: 0.3, cookies: [0, 1, 5], fields: [0, 10], long: [0, 2KiB], early_hints: 0.1}
`)
	res, clients := attackAs(t, load.Config{Target: wire.Target{Address: b.Addr()}, Load: l, Seed: 11})
	require.EqualValues(t, 400, res.Sent)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, b.Stop(ctx))
	require.EqualValues(t, 400, res.Sealed, "every answer was held against its seal")
	require.Empty(t, res.Mismatches)
	require.Empty(t, b.Mismatches())
	kept, err := book.Read(path)
	require.NoError(t, err)
	require.True(t, kept.Sealed)
	departed := map[uint64]book.Departure{}
	for _, d := range kept.Departures {
		departed[d.Seq] = d
	}
	paced := 0
	for _, c := range clients {
		d, ok := departed[c.Seq]
		require.True(t, ok, c.Seq)
		require.True(t, c.End.Clean(), c.End)
		require.Equal(t, d.Status, c.Status)
		require.Equal(t, d.RespSum, c.RespSum)
		require.Equal(t, d.RespBytes, c.RespBytes)
		require.EqualValues(t, -1, c.RespBad)
		require.Equal(t, d.ReqSum, c.ReqSum)
		require.Equal(t, d.ReqBytes, c.ReqSent)
		require.Equal(t, d.Interim, c.Interim)
		require.Equal(t, book.Echoed|book.SentAll|book.WholeHead, c.Flags&(book.Echoed|book.SentAll|book.WholeHead|book.Surplus|book.EchoForeign|book.BodyForeign))
		if c.Flags&book.Paced != 0 {
			paced++
		}
	}
	require.Positive(t, paced)
}
