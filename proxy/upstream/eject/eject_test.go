package eject_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/upstream/eject"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFailuresInARow(t *testing.T) {
	s := eject.New(eject.Config{}.Filled())
	for range 10 { // four are never enough
		for range 4 {
			require.False(t, s.Failure())
		}
		s.Success()
	}
	for range 4 {
		require.False(t, s.Failure())
	}
	require.True(t, s.Failure())
	require.True(t, s.Failure(), "again, until somebody acts")
	s.Success()
	require.False(t, s.Failure())
}

// A fifth of the count is forgotten every 30 s: rare failures never add up.
func TestCountDecays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eject.New(eject.Config{}.Filled())
		for range 4 {
			s.Failure()
		}
		time.Sleep(30 * time.Second) // 3.2
		require.False(t, s.Failure(), "4.2")
		require.True(t, s.Failure(), "5.2")

		s.Success()
		for range 4 {
			s.Failure()
		}
		time.Sleep(30*time.Second - time.Nanosecond)
		require.True(t, s.Failure(), "just before it decays")

		s.Success()
		for range 100 { // one each 30 s stays below 1/0.2
			require.False(t, s.Failure())
			time.Sleep(30 * time.Second)
		}
	})
}

func TestFloor(t *testing.T) {
	for _, c := range []struct{ percent, endpoints, floor int }{
		{50, 1, 1}, {50, 2, 1}, {50, 3, 2}, {50, 4, 2}, {50, 10, 5}, {10, 9, 9}, {10, 10, 9}, {100, 1, 1}, {100, 7, 1}, {100, 0, 1},
	} {
		require.Equal(t, c.floor, eject.Config{MaxPercent: c.percent}.Floor(c.endpoints), "%v", c)
	}
}

func BenchmarkSuccess(b *testing.B) {
	s := eject.New(eject.Config{}.Filled())
	b.ReportAllocs()
	for b.Loop() {
		s.Success()
	}
}
