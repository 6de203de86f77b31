package usage

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func self() ([]int, error) { return []int{os.Getpid()}, nil }

func TestReadOurselves(t *testing.T) {
	pids, _ := self()
	before, err := Read(append(pids, 1<<30))
	require.NoError(t, err, "one that has ended is left out")
	require.Positive(t, before.RSS)
	require.Positive(t, before.Threads)
	require.Positive(t, before.Descriptors)
	for after := before; after.CPU-before.CPU < 3*tick; {
		after, err = Read(pids)
		require.NoError(t, err)
	}
	_, err = Read([]int{1 << 30})
	require.ErrorIs(t, err, ErrGone)
}

func TestReadTheMachine(t *testing.T) {
	m, err := ReadMachine()
	require.NoError(t, err)
	require.Positive(t, m.Busy)
	require.Positive(t, m.Total)
	require.LessOrEqual(t, m.Available, m.Total)
}

func TestAWatchSeesWhatIsUsed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	looks := 0
	gone := func() ([]int, error) { return nil, ErrGone }
	w := &Watch{Every: time.Millisecond, Cores: runtime.NumCPU(), Local: l.Addr().(*net.TCPAddr).Port, Remote: []int{l.Addr().(*net.TCPAddr).Port}}
	w.Parties = []Party{{"gone", gone}, {"us", func() ([]int, error) {
		if looks++; looks == 20 {
			cancel()
		}
		return self()
	}}}
	seen := w.Run(ctx)
	require.NotContains(t, seen.Parties, "gone")
	require.Positive(t, seen.Parties["us"].RSS)
	require.Positive(t, seen.Total)
	require.Positive(t, seen.In.Established) // the table may show one twice while others change it
	require.Positive(t, seen.Out.Established)
}

func TestUseIsOfTheWholeTimeAndItsPeakOfASecond(t *testing.T) {
	at := time.Unix(0, 0)
	var all []Reading
	cpu := time.Duration(0)
	for i := range 41 { // 10 s: idle but for one second with two cores busy
		all = append(all, Reading{At: at, CPU: cpu, RSS: int64(i % 7), Voluntary: uint64(10 * i)})
		at = at.Add(250 * time.Millisecond)
		if i >= 20 && i < 24 {
			cpu += 500 * time.Millisecond
		}
	}
	u, ok := use(all)
	require.True(t, ok)
	require.InDelta(t, .2, u.Cores, 1e-9)
	require.InDelta(t, 2, u.Peak, 1e-9)
	require.EqualValues(t, 6, u.RSS)
	require.InDelta(t, 40, u.Voluntary, 1e-9)
	_, ok = use(all[:1])
	require.False(t, ok)
}

func TestTheNarrowestLimitCounts(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o644))
	}
	write("box/memory.max", "1000")
	write("box/inner/memory.max", "max")
	write("box/cpu.max", "150000 100000")
	write("box/inner/cpu.max", "max 100000")
	l := Limits{Cores: 8}
	l.group([]procfs.Cgroup{{Path: "/box/inner"}}, root)
	require.Equal(t, Limits{Cores: 1.5, Memory: 1000}, l)

	write("memory/old/memory.limit_in_bytes", "2000")
	write("memory/memory.limit_in_bytes", "9223372036854771712")
	write("cpu/old/cpu.cfs_quota_us", "50000")
	write("cpu/old/cpu.cfs_period_us", "100000")
	write("cpu/cpu.cfs_quota_us", "-1")
	write("cpu/cpu.cfs_period_us", "100000")
	l = Limits{Cores: 8}
	l.group([]procfs.Cgroup{{HierarchyID: 4, Controllers: []string{"memory"}, Path: "/old"}, {HierarchyID: 2, Controllers: []string{"cpu"}, Path: "/old"}}, root)
	require.Equal(t, Limits{Cores: .5, Memory: 2000}, l)
}

func TestOurOwnLimits(t *testing.T) {
	l, err := LimitsOf(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, l.Cores)
	require.LessOrEqual(t, l.Cores, float64(runtime.NumCPU()))
	_, err = LimitsOf(1 << 30)
	require.Error(t, err)
}
