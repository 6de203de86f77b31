package load_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/load"
)

// BenchmarkOffer offers more than can be had, so ns/op is what a request costs,
// server included.
func BenchmarkOffer(b *testing.B) {
	addr := serve(b, func(string) string { return plain })
	l := load.Load{Rate: units.Rate(float64(b.N) * 1000), For: units.Duration(time.Millisecond), MaxWorkers: 64}
	b.ReportAllocs()
	b.ResetTimer()
	res, _ := attack(b, addr, l)
	require.EqualValues(b, b.N, res.Sent)
}
