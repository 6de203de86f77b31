package otlp

import (
	"encoding/hex"
	"hash/maphash"
	"io"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Record is one log record as the target exported it. It is valid until the
// visitor returns.
type Record struct {
	Time  int64 // Unix nanoseconds; when it was observed if it does not say
	Trace [16]byte
	Span  [8]byte
	// Body is a text body, nil when it has another form or none.
	Body []byte
	// Fields are its attributes and the members of a body that is a map: what
	// is no text is written as JSON would. Lists and maps are left out.
	Fields []Field
}

// A Field is a name and a value of a Record.
type Field struct{ Key, Value []byte }

// ReadRecords calls visit for every log record of a file, in the order in which
// they came. A request that came twice counts once: its exporter saw no answer.
// It says like ReadSpans what the file lacks.
func ReadRecords(path string, visit func(*Record)) (seen Counts, complete bool, err error) {
	err = open(path, func(r io.Reader) error {
		seen, complete, err = ParseRecords(r, visit)
		return err
	})
	return seen, complete, err
}

// ParseRecords is ReadRecords on a stream.
func ParseRecords(r io.Reader, visit func(*Record)) (Counts, bool, error) {
	l := reader{visit: visit, came: map[uint64]bool{}, seed: maphash.MakeSeed()}
	return records(r, func(kind signal, payload []byte) error {
		if kind != logs || l.again(payload) {
			return nil
		}
		return each(payload, within(1, func(resource []byte) error {
			return each(resource, within(2, func(scope []byte) error {
				return each(scope, within(2, l.record))
			}))
		}))
	})
}

type reader struct {
	visit func(*Record)
	rec   Record
	came  map[uint64]bool // requests, by hash
	seed  maphash.Seed
}

func (l *reader) again(payload []byte) bool {
	h := maphash.Bytes(l.seed, payload)
	if l.came[h] {
		return true
	}
	l.came[h] = true
	return false
}

// record reads a LogRecord (opentelemetry-proto, logs.proto).
func (l *reader) record(msg []byte) error {
	l.rec = Record{Fields: l.rec.Fields[:0]}
	r := &l.rec
	var observed int64
	err := each(msg, func(field protowire.Number, b []byte, n uint64) error {
		switch int(field) {
		case 1:
			r.Time = int64(n)
		case 5:
			return r.body(b)
		case 6:
			return r.field(b)
		case 9:
			copy(r.Trace[:], b)
		case 10:
			copy(r.Span[:], b)
		case 11:
			observed = int64(n)
		}
		return nil
	})
	if r.Time == 0 {
		r.Time = observed
	}
	if err == nil {
		l.visit(r)
	}
	return err
}

// body reads an AnyValue.
func (r *Record) body(msg []byte) error {
	return each(msg, func(field protowire.Number, b []byte, _ uint64) error {
		switch int(field) {
		case 1:
			r.Body = b
		case 6:
			return each(b, within(1, r.field))
		}
		return nil
	})
}

// field reads a KeyValue.
func (r *Record) field(msg []byte) error {
	var f Field
	known := false
	err := each(msg, func(field protowire.Number, b []byte, _ uint64) error {
		if field == 1 {
			f.Key = b
			return nil
		}
		return each(b, func(field protowire.Number, b []byte, n uint64) error {
			known = true
			switch int(field) {
			case 1:
				f.Value = b
			case 2:
				f.Value = strconv.AppendBool(nil, n != 0)
			case 3:
				f.Value = strconv.AppendInt(nil, int64(n), 10)
			case 4:
				f.Value = strconv.AppendFloat(nil, math.Float64frombits(n), 'g', -1, 64)
			case 7:
				f.Value = hex.AppendEncode(nil, b)
			default:
				known = false
			}
			return nil
		})
	})
	if known {
		r.Fields = append(r.Fields, f)
	}
	return err
}
