package usage

import (
	"fmt"
	"math"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// Limits are what a process may use at most. 0 says that nothing limits it, or
// that nobody can tell.
type Limits struct {
	Cores       float64 // of the CPUs it may run on, and by its control group's quota
	Memory      int64   // bytes, of its control group
	Descriptors int
}

// LimitsOf looks at the limits of a process.
func LimitsOf(pid int) (Limits, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return Limits{}, fmt.Errorf("limits of process %d: %w", pid, err)
	}
	l := Limits{Cores: float64(runtime.NumCPU())}
	if status, err := p.NewStatus(); err == nil && len(status.CpusAllowedList) > 0 {
		l.Cores = float64(len(status.CpusAllowedList))
	}
	limits, err := p.Limits()
	if err != nil {
		return l, fmt.Errorf("limits of process %d: %w", pid, err)
	}
	if limits.OpenFiles < math.MaxInt32 {
		l.Descriptors = int(limits.OpenFiles)
	}
	groups, err := p.Cgroups()
	if err != nil {
		return l, fmt.Errorf("limits of process %d: %w", pid, err)
	}
	l.group(groups, "/sys/fs/cgroup")
	return l, nil
}

// group takes the narrowest limits on the way from the group to the root, of
// version 2 (one hierarchy) or 1 (one for each controller).
func (l *Limits) group(groups []procfs.Cgroup, root string) {
	for _, g := range groups {
		if len(g.Controllers) == 0 || g.HierarchyID == 0 {
			l.climb(path.Join(root, g.Path), root, "memory.max", "cpu.max", "")
			continue
		}
		for _, c := range g.Controllers {
			if c == "memory" || c == "cpu" {
				l.climb(path.Join(root, c, g.Path), path.Join(root, c), "memory.limit_in_bytes", "cpu.cfs_quota_us", "cpu.cfs_period_us")
			}
		}
	}
}

func (l *Limits) climb(dir, root, memory, quota, period string) {
	for ; strings.HasPrefix(dir, root); dir = path.Dir(dir) {
		if n := first(path.Join(dir, memory)); n > 0 && n < 1<<60 && (l.Memory == 0 || int64(n) < l.Memory) {
			l.Memory = int64(n)
		}
		most, every := pair(path.Join(dir, quota))
		if period != "" {
			every = first(path.Join(dir, period))
		}
		if most > 0 && every > 0 && most/every < l.Cores {
			l.Cores = most / every
		}
	}
}

// first gives the first number of a file, 0 when there is none.
func first(file string) float64 {
	n, _ := pair(file)
	return n
}

func pair(file string) (a, b float64) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(text))
	if len(fields) > 0 {
		a, _ = strconv.ParseFloat(fields[0], 64) // "max" is no limit
	}
	if len(fields) > 1 {
		b, _ = strconv.ParseFloat(fields[1], 64)
	}
	return a, b
}
