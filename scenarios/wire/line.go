package wire

import (
	"context"
	"net"
	"slices"
	"sync"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
)

// A carrier is a connection that carries exchanges: a Conn or a Mux.
type carrier interface {
	common() *line
	Send(ctx context.Context, x *Exchange) bool
	CloseWrite(notify bool) error
	Reusable() bool
	Reset()
	Close()
}

// line is what every connection of the measuring client is, whatever is spoken
// on it: a reader of its own, exchanges that wait for their answers, and
// records that are handed over when nothing can change them any more.
type line struct {
	nc     net.Conn
	target Target
	number uint32
	port   uint16
	record Recorder
	expire func(ctx context.Context, x *Exchange) // ends x because ctx is done; called with the lock held

	mu      sync.Mutex
	changed *sync.Cond
	ended   []*Exchange // answered, record not handed over
	served  uint32
	paused  bool // the script does not read
	gone    bool // nothing more will be read
	spoilt  bool // no further exchange may use it
}

func (l *line) init(nc net.Conn, t Target, number uint32, record Recorder) {
	l.nc, l.target, l.number, l.record = nc, t, number, record
	l.changed = sync.NewCond(&l.mu)
	if a, ok := nc.LocalAddr().(*net.TCPAddr); ok {
		l.port = uint16(a.Port)
	}
}

func (l *line) common() *line { return l }

// Number is the connection's number in the run.
func (l *line) Number() uint32 { return l.number }

// place gives x its place on the connection; call it with the lock held.
func (l *line) place(x *Exchange) {
	l.served++
	x.rec.Conn, x.rec.Nth, x.rec.LocalPort = l.number, l.served, l.port
	if l.served > 1 {
		x.rec.Flags |= book.Reused
	}
}

// handOver gives the records of ended exchanges to the recorder.
func (l *line) handOver() {
	l.mu.Lock()
	records := make([]book.Client, 0, len(l.ended))
	for _, x := range l.ended {
		records = append(records, x.record())
	}
	l.ended = l.ended[:0]
	l.mu.Unlock()
	for _, r := range records {
		l.record(r)
	}
}

func (l *line) over(x *Exchange) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return x.over
}

// fields gives the fields of x's final head, nil when there is none yet, and
// of its trailer section.
func (l *line) fields(x *Exchange) (head, trailer []http1.Field) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !x.answer.HeadDone() {
		return nil, nil
	}
	return slices.Clone(x.answer.Head().Fields), slices.Clone(x.answer.Trailer())
}

// payload gives what was kept of x's payload between two offsets.
func (l *line) payload(x *Exchange, from, to int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	from, to = min(from, len(x.kept)), min(to, len(x.kept))
	return slices.Clone(x.kept[from:to])
}

// awaitReading waits while the script does not read. A read under way is woken
// by a deadline in the past, see StopReading.
func (l *line) awaitReading() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.paused {
		l.changed.Wait()
	}
}

// StopReading leaves what arrives in the kernel's buffer until StartReading,
// so that the peer's window fills.
func (l *line) StopReading() error { return l.pause(true) }

// StartReading undoes StopReading.
func (l *line) StartReading() error { return l.pause(false) }

func (l *line) pause(on bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused == on {
		return nil
	}
	l.paused = on
	l.changed.Broadcast()
	if on {
		return l.nc.SetReadDeadline(past)
	}
	return l.nc.SetReadDeadline(never)
}
