package capacity

import (
	"fmt"
	"strconv"

	report "gauntlet/reports/capacity"
)

// From which share of a limit on it counts as used up.
const (
	fullCPU         = .85 // a process that waits for nothing else seldom gets all
	fullMemory      = .9
	fullDescriptors = .95
)

// cause says what gave out in a probe that failed, the most certain first.
func (r *run) cause(p *report.Probe) report.GaveOut {
	m := r.measured[p.N-1]
	t, seen := p.Usage[Target]
	l := m.Limits
	var all []report.GaveOut
	add := func(is bool, what, advice, format string, args ...any) {
		if is {
			all = append(all, report.GaveOut{What: what, Advice: advice, Why: []string{fmt.Sprintf(format, args...)}})
		}
	}
	add(p.Ledger.Damaged() > 0 && len(p.Because) == 1, report.Ledger, "Requests came to harm before anything else gave out: see the probe's evidence.", "at %s rps %d requests were damaged", report.Count(p.Rate), p.Ledger.Damaged())
	add(seen && l.Descriptors > 0 && float64(t.Descriptors) >= fullDescriptors*float64(l.Descriptors), report.Descriptors,
		"Raise the limit of open files (ulimit -n, LimitNOFILE).", "%d of %d descriptors were open", t.Descriptors, l.Descriptors)
	add(seen && l.Memory > 0 && float64(t.RSS) >= fullMemory*float64(l.Memory), report.Memory,
		"Give its control group more memory, or bound what it buffers.", "%d of %d MiB that its control group allows were in use", t.RSS>>20, l.Memory>>20)
	add(m.Seen.Total > 0 && float64(m.Seen.Memory) < (1-fullDescriptors)*float64(m.Seen.Total), report.Memory,
		"Give the machine more memory.", "the machine had %d of %d MiB left", m.Seen.Memory>>20, m.Seen.Total>>20)
	most, _ := strconv.Atoi(m.Settings["upstream.pool.max_connections"])
	add(p.Metrics["pool_waiting"] > 0, report.Pool, "Raise upstream.pool.max_connections, or add backends.", "%.0f requests waited for a connection to a backend", p.Metrics["pool_waiting"])
	add(p.Metrics["pool_waiting"] == 0 && most > 0 && p.Out >= most, report.Pool, "Raise upstream.pool.max_connections, or add backends.", "%d of %d connections to backends were open", p.Out, most)
	b := p.Usage[Backend]
	add(seen && l.Cores > 0 && t.Cores >= fullCPU*l.Cores, report.CPU, "Give it more cores, or add instances.", "it used %.2f of %.4g cores", t.Cores, l.Cores)
	add(seen && t.Cores < fullCPU*l.Cores && p.Busy >= fullMachine && !crowded(m), report.CPU, "Put the generator and the backend on other machines to learn what the target does with these cores alone.",
		"the machine's cores were %.0f %% busy: the target used %.2f, the generator %.2f, the backend %.2f", 100*p.Busy, t.Cores, p.Usage[Generator].Cores, b.Cores)
	add(seen && l.Cores > 1 && t.Peak >= .9 && t.Peak <= 1.02 && p.Busy < fullMachine, report.Thread, "Let it use more threads or workers.", "it used %.2f cores at the most, and it may use %.4g: it seems to work on one thread", t.Peak, l.Cores)
	if len(all) > 0 {
		first := all[0]
		for _, g := range all[1:] {
			first.Why = append(first.Why, g.Why...)
		}
		return first
	}
	unknown := report.GaveOut{What: report.Unknown, Advice: "Look for a limit of its own: workers, locks, queues, rate limits, or what it waits for."}
	if seen {
		unknown.Why = []string{fmt.Sprintf("the target used %.2f of %.4g cores, %d MiB and %d descriptors; none of that gave out", t.Cores, l.Cores, t.RSS>>20, t.Descriptors)}
	} else {
		unknown.Why = []string{"the target's processes are not ours to look at"}
	}
	return unknown
}
