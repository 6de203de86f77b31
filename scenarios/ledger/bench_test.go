package ledger_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

const million = 1_000_000

// traffic makes the books of n exchanges over three backends in the order in
// which a run appends them: by their end, 64 at a time in flight. One in a hundred
// was tried twice, one in fifty failed.
func traffic(n int) ledger.Books {
	rng := rand.New(rand.NewPCG(1, 2))
	s := newScene(3)
	s.Client.Clients = make([]book.Client, 0, n)
	order := make([]int, n)
	key := make([]int, n)
	for i := range order {
		order[i], key[i] = i, i+rng.IntN(64)
	}
	slices.SortFunc(order, func(a, b int) int { return key[a] - key[b] })
	for _, i := range order {
		seq := uint64(i + 1)
		c := s.client(seq)
		c.Seq = seq
		a, d := s.attempt(1+rng.IntN(3), seq)
		if i%2 == 1 {
			post(c, a, d)
		}
		switch {
		case i%50 == 0:
			failed(c, 502)
			unanswered(d)
		case i%100 == 1:
			c.Flags |= book.Idempotent
			unanswered(d)
			s.attempt(1+rng.IntN(3), seq)
			a, d := &s.Client.Clients, seq
			_, _ = a, d
		}
	}
	return s.Books
}

func BenchmarkJoin(b *testing.B) {
	books := traffic(million)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ledger.Join(books); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/exchange")
}

func BenchmarkSort(b *testing.B) {
	keys, work := randomKeys(), make([]uint64, million)
	for b.Loop() {
		copy(work, keys)
		slices.Sort(work)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/key")
}

func randomKeys() []uint64 {
	rng := rand.New(rand.NewPCG(3, 4))
	keys := make([]uint64, million)
	for i := range keys {
		keys[i] = rng.Uint64()
	}
	return keys
}

var _ = runtime.GC
var _ = time.Now
var _ = require.Equal
