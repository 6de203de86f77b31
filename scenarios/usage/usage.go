// Package usage looks at what processes and the machine use: CPU time, memory,
// descriptors, threads, context switches, sockets, and the limits of all that.
// It reads /proc and the control groups of Linux, and says what it found; what
// that means is for others to tell.
package usage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// ErrGone is wrapped when none of the processes runs any more.
var ErrGone = errors.New("no such process runs")

// A Reading is what processes hold at one moment, together.
type Reading struct {
	At          time.Time
	CPU         time.Duration // used so far, by user and kernel
	RSS         int64         // bytes in memory; pages that they share count for each
	Descriptors int
	Threads     int
	// Voluntary and Involuntary are context switches so far, of the first thread
	// of each process: the kernel tells of no others in one place.
	Voluntary, Involuntary uint64
}

// tick is what /proc counts CPU time in: on Linux a hundredth of a second.
const tick = 10 * time.Millisecond

// Read looks at the processes. Those that have ended are left out; when none is
// left the error wraps ErrGone.
func Read(pids []int) (Reading, error) {
	sum := Reading{At: time.Now()}
	found := 0
	for _, pid := range pids {
		err := sum.add(pid)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH): // it ended meanwhile
		case err != nil:
			return sum, fmt.Errorf("usage of process %d: %w", pid, err)
		default:
			found++
		}
	}
	if found == 0 {
		return sum, fmt.Errorf("usage of processes %v: %w", pids, ErrGone)
	}
	return sum, nil
}

func (r *Reading) add(pid int) error {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return err
	}
	stat, err := p.Stat()
	if err != nil {
		return err
	}
	status, err := p.NewStatus()
	if err != nil {
		return err
	}
	descriptors, err := p.FileDescriptorsLen()
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	r.CPU += time.Duration(stat.UTime+stat.STime) * tick
	r.RSS += int64(stat.RSS) * int64(os.Getpagesize())
	r.Descriptors += descriptors
	r.Threads += stat.NumThreads
	r.Voluntary += status.VoluntaryCtxtSwitches
	r.Involuntary += status.NonVoluntaryCtxtSwitches
	return nil
}

// A Machine is what a whole machine has used up to one moment.
type Machine struct {
	At        time.Time
	Busy      time.Duration // of all cores together, what neighbours of a virtual machine took included
	Stolen    time.Duration // of that, what the neighbours took
	Available int64         // bytes of memory that could still be had
	Total     int64         // bytes of memory
}

// ReadMachine looks at the machine.
func ReadMachine() (Machine, error) {
	m := Machine{At: time.Now()}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return m, fmt.Errorf("usage of the machine: %w", err)
	}
	stat, err := proc.Stat()
	if err != nil {
		return m, fmt.Errorf("usage of the machine: %w", err)
	}
	c := stat.CPUTotal
	m.Busy = seconds(c.User + c.Nice + c.System + c.IRQ + c.SoftIRQ + c.Steal)
	m.Stolen = seconds(c.Steal)
	memory, err := proc.Meminfo()
	if err != nil {
		return m, fmt.Errorf("usage of the machine: %w", err)
	}
	if memory.MemAvailableBytes != nil && memory.MemTotalBytes != nil {
		m.Available, m.Total = int64(*memory.MemAvailableBytes), int64(*memory.MemTotalBytes)
	}
	return m, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
