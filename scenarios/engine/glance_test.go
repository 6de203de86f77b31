package engine

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGlanceReadsWhatTheKernelTells(t *testing.T) {
	used, ok := cpuTime("cpu  100 20 30 9999 888 1 2 3 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n")
	require.True(t, ok)
	require.Equal(t, 1560*time.Millisecond, used, "neither idle nor waiting for a disk")
	for _, broken := range []string{"", "cpu", "cpu  1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu  a 2 3 4 5 6 7 8"} {
		_, ok := cpuTime(broken)
		require.False(t, ok, broken)
	}
	waiting, ok := waited("some avg10=97.98 avg60=89.64 avg300=78.00 total=2752753\nfull avg10=0.00 total=5\n")
	require.True(t, ok)
	require.Equal(t, 2752753*time.Microsecond, waiting)
	for _, broken := range []string{"", "some", "full total=5", "some total=x"} {
		_, ok := waited(broken)
		require.False(t, ok, broken)
	}
}

func TestSinceIsWhatOthersTook(t *testing.T) {
	began, cpus := time.Unix(1000, 0), time.Duration(runtime.NumCPU())
	before := glance{at: began, all: time.Second, ours: time.Second / 2, told: true}
	after := glance{at: began.Add(10 * time.Second), all: time.Second + cpus*6*1e9, ours: time.Second/2 + cpus*2*1e9, pressure: 7 * time.Second, told: true}
	m := after.since(before)
	require.InDelta(t, 0.4, m.Others, 1e-9)
	require.InDelta(t, 0.7, m.Pressure, 1e-9)
	require.True(t, m.Busy())
	after.told = false
	require.InDelta(t, 1, after.since(before).Pressure, 1e-9, "a kernel that does not tell excuses")
	after.ours = after.all
	require.False(t, after.since(before).Busy(), "it was us")
	require.Zero(t, before.since(before))
}
