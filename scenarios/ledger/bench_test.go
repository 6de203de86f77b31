package ledger_test

import (
	"cmp"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

const million = 1_000_000

// traffic makes the books of n exchanges over three backends in the order in
// which a run appends them: by their end, some 64 in flight. Half are POSTs, one
// in a hundred was tried twice and one in fifty failed honestly.
func traffic(n int) ledger.Books {
	rng := rand.New(rand.NewPCG(1, 2))
	s := newScene(3)
	s.Client.Clients = make([]book.Client, 0, n)
	order := make([][2]int, n)
	for i := range order {
		order[i] = [2]int{i + rng.IntN(64), i}
	}
	slices.SortFunc(order, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
	for _, o := range order {
		i, seq := o[1], uint64(o[1]+1)
		c := s.client(seq)
		a, d := s.attempt(1+rng.IntN(3), seq)
		if i%2 == 1 {
			post(c, a, d)
		}
		switch {
		case i%50 == 1:
			failed(c, 502)
			unanswered(d)
		case i%100 == 0:
			unanswered(d)
			s.attempt(1+rng.IntN(3), seq)
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

// BenchmarkSort is the yardstick of BenchmarkJoin.
func BenchmarkSort(b *testing.B) {
	keys, work := randomKeys(million), make([]uint64, million)
	for b.Loop() {
		copy(work, keys)
		slices.Sort(work)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/key")
}

func randomKeys(n int) []uint64 {
	rng := rand.New(rand.NewPCG(3, 4))
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = rng.Uint64()
	}
	return keys
}

// TestALedgerIsSmall holds the ledger to 300 bytes an exchange on top of its
// books, temporary ones included.
func TestALedgerIsSmall(t *testing.T) {
	const n = 100_000
	books := traffic(n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l, err := ledger.Join(books)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Equal(t, n, l.Sent())
	require.Equal(t, n*98/100, l.Count(ledger.Delivered))
	require.Equal(t, n*2/100, l.Count(ledger.Indeterminate))
	require.Zero(t, l.Damaged())
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/n, uint64(300))
	t.Logf("%d bytes an exchange", (after.TotalAlloc-before.TotalAlloc)/n)
}
