package otlp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// ErrFormat is wrapped when a file holds what no Receiver writes.
var ErrFormat = errors.New("not a file of received telemetry of this version")

// ReadSpans reads the spans of a file. A missing seal, a torn end or refused
// exports are reported in Spans; bytes that no Receiver writes are an error that
// wraps ErrFormat.
func ReadSpans(path string) (Spans, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Spans{}, fmt.Errorf("read spans: %w", err)
	}
	s, err := ParseSpans(data)
	if err != nil {
		return Spans{}, fmt.Errorf("read spans %s: %w", path, err)
	}
	return s, nil
}

// ParseSpans is ReadSpans on bytes.
func ParseSpans(data []byte) (Spans, error) {
	data, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok {
		return Spans{}, ErrFormat
	}
	var (
		s    Spans
		seen Counts
		end  bool
		g    = gatherer{at: map[[24]byte]int{}}
	)
	for len(data) > 0 && !end {
		kind, payload, rest, whole := next(data)
		if !whole {
			break // the receiver died while it wrote
		}
		var err error
		switch data = rest; kind {
		case traces:
			seen.Traces++
			err = g.export(payload)
		case metrics:
			seen.Metrics++
		case logs:
			seen.Logs++
		case sealing:
			end = true
			s.Counts, err = unseal(payload, seen)
		default:
			err = fmt.Errorf("%w: record of type %q", ErrFormat, kind)
		}
		if err != nil {
			return Spans{}, err
		}
	}
	if end && len(data) > 0 {
		return Spans{}, fmt.Errorf("%w: bytes follow the seal", ErrFormat)
	}
	if !end {
		s.Counts = seen
	}
	s.List, s.Complete = g.sorted(), end && s.Counts.Refused == 0
	return s, nil
}

func next(data []byte) (kind signal, payload, rest []byte, whole bool) {
	if len(data) < recordHead {
		return 0, nil, nil, false
	}
	n := uint64(binary.LittleEndian.Uint32(data[1:]))
	kind, data = signal(data[0]), data[recordHead:]
	if n > uint64(len(data)) {
		return 0, nil, nil, false
	}
	return kind, data[:n], data[n:], true
}

func unseal(payload []byte, seen Counts) (Counts, error) {
	if len(payload) != 32 {
		return Counts{}, fmt.Errorf("%w: a seal of %d bytes", ErrFormat, len(payload))
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(payload[8*i:]) }
	said := Counts{at(0), at(1), at(2), at(3)}
	if seen.Refused = said.Refused; said != seen {
		return Counts{}, fmt.Errorf("%w: sealed with %+v, holds %+v", ErrFormat, said, seen)
	}
	return said, nil
}
