package wire

import (
	"errors"
	"maps"
	"slices"
	"syscall"

	"golang.org/x/net/http2"
)

// owed is what the peer is to be sent beside requests. It is bounded by the
// streams that are open and by maxOwed.
type owed struct {
	preface bool
	acks    int     // of SETTINGS
	table   *uint32 // its new bound on the compression table
	pings   [][8]byte
	credit  map[uint32]int64 // stream, 0 for the connection, → bytes
	resets  map[uint32]uint32
	goaway  *uint32
	sets    []http2.Setting
}

// maxOwed bounds the answers to SETTINGS and PING that wait to be written. A
// peer that asks faster than it reads the answers is flooding (RFC 9113 §10.5).
const maxOwed = 1024

func newOwed() owed { return owed{credit: map[uint32]int64{}, resets: map[uint32]uint32{}} }

func (o *owed) nothing() bool {
	return !o.preface && o.acks == 0 && o.table == nil && len(o.pings) == 0 && len(o.credit) == 0 && len(o.resets) == 0 && o.goaway == nil && len(o.sets) == 0
}

func (o *owed) flooded() bool { return o.acks+len(o.pings) > maxOwed }

// clerk writes what is owed until the connection closes.
func (m *Mux) clerk() {
	for {
		m.mu.Lock()
		for m.owed.nothing() && !m.closing {
			m.changed.Wait()
		}
		if m.closing {
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
		m.out.Lock()
		m.settle()
		m.out.Unlock()
	}
}

// settle writes what is owed; call it with m.out held. The preface goes first,
// whoever writes first.
func (m *Mux) settle() {
	m.mu.Lock()
	due := m.owed
	m.owed = newOwed()
	m.repaid(&due)
	m.mu.Unlock()
	if due.table != nil {
		m.encoder.SetMaxDynamicTableSizeLimit(*due.table)
	}
	if due.preface {
		_, err := m.nc.Write([]byte(http2.ClientPreface))
		m.met(err)
		m.met(m.writer.WriteSettings(http2.Setting{ID: http2.SettingEnablePush}))
	}
	if len(due.sets) > 0 {
		m.met(m.writer.WriteSettings(due.sets...))
	}
	for range due.acks {
		m.met(m.writer.WriteSettingsAck())
	}
	for _, data := range due.pings {
		m.met(m.writer.WritePing(true, data))
	}
	for _, id := range slices.Sorted(maps.Keys(due.credit)) {
		m.met(m.writer.WriteWindowUpdate(id, uint32(due.credit[id])))
	}
	for _, id := range slices.Sorted(maps.Keys(due.resets)) {
		m.met(m.writer.WriteRSTStream(id, http2.ErrCode(due.resets[id])))
	}
	if due.goaway != nil {
		m.met(m.writer.WriteGoAway(0, http2.ErrCode(*due.goaway), nil))
	}
}

// met notes what a write met. What it could not write is of no use to a peer
// that is gone; the reader tells how it went.
func (m *Mux) met(err error) {
	if err == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spoilt = true
	m.reset = m.reset || errors.Is(err, syscall.ECONNRESET)
}
