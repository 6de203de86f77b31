package doctor

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// What a run takes of a machine.
const (
	wantCores       = 2
	wantMemory      = 1 << 30 // bytes
	wantDescriptors = 4096    // a load of 1000 rps with its target and backends
	wantPorts       = 10_000  // each connection of a load takes one for a minute
	lastPort        = 31_999  // of those that targets listen on
)

func machine() []Finding {
	return []Finding{kernel(), loopback(), cores(), memory(), limits(), descriptors(), ports(), pressure()}
}

// kernel looks for what the supervisor stands on.
func kernel() Finding {
	f := Finding{
		Group: "machine", Name: "kernel", Essential: true, For: "starting targets so that nothing of them outlives a run: /proc, pidfd, subreaper",
		Get: "Linux 5.3 or newer with /proc mounted",
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		f.Found = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		f.Found += ", pidfd_open: " + err.Error()
		return f
	}
	_, err = os.Stat("/proc/self/stat")
	f.OK = unix.Close(fd) == nil && err == nil
	return f
}

func loopback() Finding {
	f := Finding{Group: "machine", Name: "loopback", Essential: true, For: "every run: targets and backends listen on 127.0.0.1", Get: "ip link set lo up"}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Found = err.Error()
		return f
	}
	f.OK, f.Found = l.Close() == nil, "listens on 127.0.0.1"
	return f
}

func cores() Finding {
	n := runtime.NumCPU()
	return Finding{
		Group: "machine", Name: "cores", OK: n >= wantCores, Found: strconv.Itoa(n),
		For: "loads beside the target: what is too late for want of a core makes a case invalid", Get: "2 or more; leave out what is tagged load else",
	}
}

func memory() Finding {
	f := Finding{Group: "machine", Name: "memory", For: "the whole catalogue", Get: "1 GiB free"}
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		f.Found = err.Error()
		return f
	}
	for line := range strings.Lines(string(text)) {
		rest, is := strings.CutPrefix(line, "MemAvailable:")
		if fields := strings.Fields(rest); is && len(fields) > 0 {
			kib, err := strconv.ParseInt(fields[0], 10, 64)
			f.OK, f.Found = err == nil && kib<<10 >= wantMemory, fmt.Sprintf("%.1f GiB available", float64(kib)/(1<<20))
		}
	}
	return f
}

// limits looks at what a control group leaves us, of either version.
func limits() Finding {
	f := Finding{Group: "machine", Name: "cgroup limits", OK: true, For: "times and loads: a quota of CPU stops everybody at once", Get: "a quota of 2 cores or none, 1 GiB of memory"}
	read := func(paths ...string) string {
		for _, p := range paths {
			if text, err := os.ReadFile(p); err == nil {
				return strings.TrimSpace(string(text))
			}
		}
		return ""
	}
	var said []string
	quota, period, _ := strings.Cut(read("/sys/fs/cgroup/cpu.max"), " ")
	if quota == "" {
		quota, period = read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), read("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
	}
	q, qerr := strconv.ParseFloat(quota, 64)
	p, perr := strconv.ParseFloat(period, 64)
	if qerr == nil && perr == nil && q > 0 && p > 0 {
		said = append(said, fmt.Sprintf("%.1f cores", q/p))
		f.OK = q/p >= wantCores
	}
	m, err := strconv.ParseInt(read("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"), 10, 64)
	if err == nil && m > 0 && m < 1<<50 { // version 1 says none by a number near the largest
		said = append(said, fmt.Sprintf("%.1f GiB", float64(m)/(1<<30)))
		f.OK = f.OK && m >= wantMemory
	}
	if f.Found = strings.Join(said, ", "); f.Found == "" {
		f.Found = "none"
	}
	return f
}

func descriptors() Finding {
	f := Finding{Group: "machine", Name: "descriptors", For: "loads, and many idle clients", Get: "ulimit -n 65536"}
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		f.Found = err.Error()
		return f
	}
	f.OK, f.Found = r.Cur >= wantDescriptors, fmt.Sprintf("%d, at most %d", r.Cur, r.Max)
	return f
}

func ports() Finding {
	f := Finding{
		Group: "machine", Name: "ephemeral ports", For: "loads that open a connection for each request; targets listen on ports from 20000 to 31999",
		Get: "sysctl net.ipv4.ip_local_port_range='32768 60999'",
	}
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		f.Found = err.Error()
		return f
	}
	var from, until int
	if _, err := fmt.Sscan(string(text), &from, &until); err != nil {
		f.Found = strings.TrimSpace(string(text))
		return f
	}
	f.OK, f.Found = until-from+1 >= wantPorts && from > lastPort, fmt.Sprintf("%d to %d", from, until)
	return f
}

func pressure() Finding {
	_, err := os.ReadFile("/proc/pressure/cpu")
	f := Finding{Group: "machine", Name: "CPU pressure", OK: err == nil, Found: "told", For: "telling a slow target from a busy machine", Get: "a kernel with PSI, booted with psi=1"}
	if err != nil {
		f.Found = err.Error()
	}
	return f
}
