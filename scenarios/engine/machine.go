package engine

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"gauntlet/scenarios/evidence"
)

// glance is the machine's use of CPU time up to one moment.
type glance struct {
	at       time.Time
	all      time.Duration // used by everybody, and stolen by neighbours of a virtual machine
	ours     time.Duration // by the harness and the target
	pressure time.Duration // in which somebody waited for a CPU
	told     bool          // the kernel tells of pressure
}

// glance looks at the machine; ok is false where /proc does not tell.
func (s *stage) glance() (g glance, ok bool) {
	g.at = time.Now()
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return g, false
	}
	if g.all, ok = cpuTime(string(text)); !ok {
		return g, false
	}
	var self unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &self) != nil {
		return g, false
	}
	g.ours = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	if s.target.proc != nil {
		if p, err := s.target.proc.Sample(); err == nil {
			g.ours += p.CPU
		}
	}
	if text, err := os.ReadFile("/proc/pressure/cpu"); err == nil {
		g.pressure, g.told = waited(string(text))
	}
	return g, true
}

// cpuTime reads the first line of /proc/stat: user, nice, system, idle, iowait,
// irq, softirq and steal, in hundredths of a second.
func cpuTime(stat string) (time.Duration, bool) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, false
	}
	var sum uint64
	for i, f := range fields[1:9] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, false
		}
		if i != 3 && i != 4 {
			sum += n
		}
	}
	return time.Duration(sum) * 10 * time.Millisecond, true
}

// waited reads the total of the line "some" of /proc/pressure/cpu.
func waited(pressure string) (time.Duration, bool) {
	line, _, _ := strings.Cut(pressure, "\n")
	_, total, ok := strings.Cut(line, "total=")
	n, err := strconv.ParseInt(total, 10, 64)
	return time.Duration(n) * time.Microsecond, ok && err == nil && strings.HasPrefix(line, "some ")
}

// since says what others did between the two.
func (g glance) since(before glance) evidence.Machine {
	wall := g.at.Sub(before.at)
	if wall <= 0 {
		return evidence.Machine{}
	}
	share := func(d time.Duration) float64 { return min(1, max(0, d.Seconds()/wall.Seconds())) }
	m := evidence.Machine{Pressure: 1}
	m.Others = share(((g.all - before.all) - (g.ours - before.ours)) / time.Duration(runtime.NumCPU()))
	if g.told && before.told {
		m.Pressure = share(g.pressure - before.pressure)
	}
	return m
}
