package usage

import (
	"context"
	"time"
)

// A Party is a group of processes under one name. PIDs is asked at every look,
// since workers come and go.
type Party struct {
	Name string
	PIDs func() ([]int, error)
}

// A Use is what a party used over a time.
type Use struct {
	Cores       float64 // in use on average
	Peak        float64 // in use in the busiest second or so
	RSS         int64   // bytes, at the most
	Descriptors int     // at the most
	Threads     int     // at the most
	Voluntary   float64 // context switches a second, see Reading
	Involuntary float64
}

// Seen is what a Watch saw.
type Seen struct {
	Parties  map[string]Use // only those that could be looked at
	Cores    int            // of the machine
	Busy     float64        // share of all the machine's cores, 0 to 1
	Stolen   float64        // likewise, of what neighbours of a virtual machine took
	Memory   int64          // bytes of memory that could still be had, at the least
	Total    int64          // bytes of memory of the machine
	In, Out  Sockets        // at the most, each state for itself
	Readings int
}

// A Watch looks at parties, the machine and sockets again and again.
type Watch struct {
	Parties []Party
	Every   time.Duration
	Local   int   // port on which the target accepts; 0 counts no sockets
	Remote  []int // ports of backends
	Cores   int   // of the machine
}

// span is the time that a peak is averaged over.
const span = time.Second

// Run looks until ctx ends and gives what it saw.
func (w *Watch) Run(ctx context.Context) Seen {
	seen := Seen{Parties: map[string]Use{}, Cores: w.Cores}
	all := map[string][]Reading{}
	var machine []Machine
	var counted time.Time // the table of sockets may be long: it is read once a second
	look := func() {
		seen.Readings++
		for _, p := range w.Parties {
			pids, err := p.PIDs()
			if err != nil {
				continue // it has ended, which others notice
			}
			if r, err := Read(pids); err == nil {
				all[p.Name] = append(all[p.Name], r)
			}
		}
		if m, err := ReadMachine(); err == nil {
			machine = append(machine, m)
		}
		if w.Local == 0 || time.Since(counted) < span {
			return
		}
		counted = time.Now()
		if in, out, err := ReadSockets(w.Local, w.Remote); err == nil {
			seen.In.most(in)
			seen.Out.most(out)
		}
	}
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	for look(); ctx.Err() == nil; look() {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	for name, readings := range all {
		if u, ok := use(readings); ok {
			seen.Parties[name] = u
		}
	}
	seen.machine(machine, w.Cores)
	return seen
}

func (s *Sockets) most(o Sockets) {
	s.Established, s.SynReceived = max(s.Established, o.Established), max(s.SynReceived, o.SynReceived)
	s.CloseWait, s.TimeWait, s.Other = max(s.CloseWait, o.CloseWait), max(s.TimeWait, o.TimeWait), max(s.Other, o.Other)
}

// use sums readings up; ok is false when there are too few of them.
func use(all []Reading) (u Use, ok bool) {
	first, last := all[0], all[len(all)-1]
	wall := last.At.Sub(first.At).Seconds()
	if wall <= 0 {
		return u, false
	}
	// A worker that ended took its part of the sums along.
	u.Cores = max(0, (last.CPU-first.CPU).Seconds()/wall)
	u.Voluntary = grown(first.Voluntary, last.Voluntary) / wall
	u.Involuntary = grown(first.Involuntary, last.Involuntary) / wall
	u.Peak = u.Cores
	from := 0
	for _, r := range all {
		u.RSS, u.Descriptors, u.Threads = max(u.RSS, r.RSS), max(u.Descriptors, r.Descriptors), max(u.Threads, r.Threads)
		for r.At.Sub(all[from].At) >= span {
			u.Peak = max(u.Peak, (r.CPU-all[from].CPU).Seconds()/r.At.Sub(all[from].At).Seconds())
			from++
		}
	}
	return u, true
}

func grown(from, to uint64) float64 {
	if to < from {
		return 0
	}
	return float64(to - from)
}

func (s *Seen) machine(all []Machine, cores int) {
	if len(all) < 2 || cores < 1 {
		return
	}
	first, last := all[0], all[len(all)-1]
	wall := last.At.Sub(first.At).Seconds() * float64(cores)
	if wall > 0 {
		s.Busy = min(1, max(0, (last.Busy-first.Busy).Seconds()/wall))
		s.Stolen = min(1, max(0, (last.Stolen-first.Stolen).Seconds()/wall))
	}
	s.Memory, s.Total = first.Available, first.Total
	for _, m := range all {
		s.Memory = min(s.Memory, m.Available)
	}
}

// Others is the share of the machine's cores that nobody among the parties used.
func (s *Seen) Others() float64 {
	if s.Cores < 1 {
		return 0
	}
	known := 0.0
	for _, u := range s.Parties {
		known += u.Cores
	}
	return max(0, s.Busy-known/float64(s.Cores))
}
