package otlp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
)

// The file is magic, then records: one byte for the signal, four for the length
// (little endian), and the bytes of the export request as protobuf. The last
// record is the seal, whose payload is the counts. A file without one is short.
const magic = "gauntlet otlp 1\n"

// A signal is what an export carries.
type signal byte

const (
	traces  signal = 'T'
	metrics signal = 'M'
	logs    signal = 'L'
	sealing signal = 'S'
)

const recordHead = 5

// Counts are how many exports were taken, by signal, and how many refused
// because the file was full or could not be written.
type Counts struct{ Traces, Metrics, Logs, Refused uint64 }

var (
	errFull   = errors.New("the file of received telemetry is full")
	errSealed = errors.New("the file of received telemetry is sealed")
)

type store struct {
	mu     sync.Mutex
	file   *os.File
	room   int64
	sum    Counts
	broken error
	sealed bool
}

func create(path string, limit int64) (*store, error) {
	if limit == 0 {
		limit = defaultMaxBytes
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteString(magic); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &store{file: f, room: limit - int64(len(magic))}, nil
}

// keep appends one export in one write, so that a killed harness leaves whole
// records.
func (s *store) keep(kind signal, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed {
		return errSealed
	}
	size := int64(recordHead + len(payload))
	if s.broken != nil || size > s.room {
		s.sum.Refused++
		return errors.Join(errFull, s.broken)
	}
	if err := s.write(kind, payload); err != nil {
		s.sum.Refused++
		s.broken = err
		return err
	}
	s.room -= size
	switch kind {
	case traces:
		s.sum.Traces++
	case metrics:
		s.sum.Metrics++
	case logs:
		s.sum.Logs++
	default: // the seal is not counted
	}
	return nil
}

func (s *store) write(kind signal, payload []byte) error {
	b := make([]byte, recordHead, recordHead+len(payload))
	b[0] = byte(kind)
	binary.LittleEndian.PutUint32(b[1:], uint32(len(payload)))
	_, err := s.file.Write(append(b, payload...))
	return err
}

func (s *store) counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum
}

// seal ends the file. A file that could not be written is closed without a seal.
func (s *store) seal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	if s.broken != nil {
		return fmt.Errorf("keep telemetry: %w", errors.Join(s.broken, s.file.Close()))
	}
	b := binary.LittleEndian.AppendUint64(nil, s.sum.Traces)
	b = binary.LittleEndian.AppendUint64(b, s.sum.Metrics)
	b = binary.LittleEndian.AppendUint64(b, s.sum.Logs)
	b = binary.LittleEndian.AppendUint64(b, s.sum.Refused)
	return errors.Join(s.write(sealing, b), s.file.Close())
}
