package audit

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strconv"

	"gauntlet/fixtures/exchange"
)

// A reading is a line of which some members were read.
type reading struct {
	Line
	log            *Log
	run            uint64
	mark           []byte
	byTrace        uint64
	status, method bool // it has such a member
}

// member takes one of them.
func (l *reading) member(key, value []byte) {
	switch l.log.field(key) {
	case statusField:
		l.status = true
		l.Status, _ = strconv.Atoi(string(value)) // no number is no status
	case traceField:
		if n, err := hex.Decode(l.Trace[:], clip(value, 32)); err == nil && n == 16 && l.Trace != [16]byte{} {
			l.belongs()
		}
	case spanField:
		if _, err := hex.Decode(l.Span[:], clip(value, 16)); err != nil {
			l.Span = [8]byte{}
		}
	case methodField:
		l.method = true
		l.Method = method(value)
	case failedField:
		l.Failed = l.Failed || !slices.Contains([]string{"", "false", "null", "-"}, string(value))
	case bytesField:
		n, err := strconv.ParseInt(string(value), 10, 64)
		l.Bytes, l.Sized = max(n, 0), err == nil
	case durationField:
		n, _ := strconv.ParseFloat(string(value), 64) // no number is no duration
		l.Took = n * l.log.unit
	case routeField:
		l.Route = l.log.route(value)
	default:
		if !bytes.HasPrefix(value, l.mark) {
			return
		}
		if id, err := exchange.Parse(string(value)); err == nil {
			l.Seq = id.Seq
		}
	}
}

// belongs notes the exchange that the line's trace belongs to.
func (l *reading) belongs() {
	l.Traced = true
	if id := exchange.FromTraceID(l.Trace); id.Run == l.run && id.Seq <= exchange.MaxSeq {
		l.byTrace = id.Seq
	}
}

// line is what was read. An id says more surely than a trace whose it is.
func (l *reading) line() Line {
	if l.Seq == 0 {
		l.Seq = l.byTrace
	}
	return l.Line
}
