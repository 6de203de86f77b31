package otlp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrFormat is wrapped when a file holds what no Receiver writes.
var ErrFormat = errors.New("not a file of received telemetry of this version")

// ReadSpans reads the spans of a file, with all that they say. A missing seal,
// a torn end or refused exports are reported in Spans; bytes that no Receiver
// writes are an error that wraps ErrFormat.
func ReadSpans(path string) (s Spans, err error) {
	err = open(path, func(r io.Reader) error { s, err = ParseSpans(r); return err })
	return s, err
}

// ParseSpans is ReadSpans on a stream.
func ParseSpans(r io.Reader) (Spans, error) {
	g := gatherer{at: map[[24]byte]int{}}
	s, err := g.read(r)
	if err != nil {
		return Spans{}, err
	}
	s.List = g.sorted()
	return s, nil
}

// ReadBriefs reads what the audit of a run asks of the spans of a file. It says
// like ReadSpans what the file lacks.
func ReadBriefs(path string, run uint64) (b Briefs, err error) {
	err = open(path, func(r io.Reader) error { b, err = ParseBriefs(r, run); return err })
	return b, err
}

// ParseBriefs is ReadBriefs on a stream.
func ParseBriefs(r io.Reader, run uint64) (Briefs, error) {
	b := Briefs{Events: map[string]int{}}
	s := skimmer{run: run, into: &b, names: map[string]string{}}
	var err error
	b.Counts, b.Complete, err = records(r, func(kind signal, payload []byte) error {
		if kind == traces {
			return s.export(payload)
		}
		return nil
	})
	if err != nil {
		return Briefs{}, err
	}
	b.settle()
	return b, nil
}

func open(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read telemetry: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := read(f); err != nil {
		return fmt.Errorf("read telemetry %s: %w", path, err)
	}
	return nil
}

// records calls visit for every record but the seal. The payload is valid
// until it returns. It says what the seal counts, or what came when there is
// none, and whether everything that was exported is there.
func records(from io.Reader, visit func(signal, []byte) error) (seen Counts, complete bool, err error) {
	r := bufio.NewReaderSize(from, 64<<10)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != magic {
		return seen, false, ErrFormat
	}
	var payload []byte
	for {
		kind, whole, err := next(r, &payload)
		if err != nil || !whole { // the receiver died while it wrote
			return seen, false, err
		}
		switch kind {
		case traces:
			seen.Traces++
		case metrics:
			seen.Metrics++
		case logs:
			seen.Logs++
		case sealing:
			if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
				return seen, false, fmt.Errorf("%w: bytes follow the seal", ErrFormat)
			}
			seen, err = unseal(payload, seen)
			return seen, err == nil && seen.Refused == 0, err
		default:
			return seen, false, fmt.Errorf("%w: record of type %q", ErrFormat, kind)
		}
		if err := visit(kind, payload); err != nil {
			return seen, false, err
		}
	}
}

// next reads one record into payload, whose room it uses again.
func next(r *bufio.Reader, payload *[]byte) (kind signal, whole bool, err error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, false, short(err)
	}
	n := int64(binary.LittleEndian.Uint32(head[1:]))
	buf := bytes.NewBuffer((*payload)[:0])
	// What the length says is not believed before the bytes are there.
	if _, err := io.CopyN(buf, r, n); err != nil {
		return 0, false, short(err)
	}
	*payload = buf.Bytes()
	return signal(head[0]), true, nil
}

// short makes an early end no error.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
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
