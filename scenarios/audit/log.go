package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/evidence"
)

// A Line is what an access log says of one exchange.
type Line struct {
	Seq    uint64 // by the id or the trace that it names; 0: none of the run
	Trace  [16]byte
	Span   [8]byte
	Traced bool // it names a trace
	Failed bool // it says that the answer was cut or that something failed
	Status int  // 0 when it names none
	Method string
	Route  string  // where a target file names its member
	Bytes  int64   // of the answer, when Sized
	Sized  bool    // it names them
	Took   float64 // nanoseconds, 0 when it does not say
}

// A Log is what was read of an access log.
type Log struct {
	Lines   []Line
	Foreign int // lines that are no JSON object, or a line that breaks off
	Sized   int // lines that name bytes
	Timed   int // lines that name a duration
	// Refused and Complete are of the file of received telemetry, for a log that
	// came by OTLP: exports that found no room, and whether it is all there.
	Refused  uint64
	Complete bool

	words  map[string]field // nil for the usual names
	unit   float64          // of durations, in nanoseconds
	routes map[string]string
}

// A field is something that we look for in a line.
type field int

const (
	statusField field = iota + 1
	traceField
	spanField
	methodField
	failedField
	bytesField
	durationField
	routeField
)

// fieldOf says what a key stands for: in the reference's log, and in what people
// write into the log formats of nginx, HAProxy, Envoy, Caddy and Traefik.
func fieldOf(key []byte) field {
	switch string(key) {
	case "status", "status_code", "response_code", "code", "DownstreamStatus", "http.response.status_code":
		return statusField
	case "trace_id", "traceid", "traceId", "TraceId", "trace.id":
		return traceField
	case "span_id", "spanid", "spanId", "SpanId", "span.id":
		return spanField
	case "method", "request_method", "RequestMethod", "http.request.method":
		return methodField
	case "error", "aborted":
		return failedField
	case "bytes", "body_bytes_sent", "bytes_sent":
		return bytesField
	case "duration_ms":
		return durationField
	}
	return 0
}

// maxLine bounds a line, in bytes; a longer one is foreign.
const maxLine = 1 << 20

// ReadLog reads an access log, one JSON object a line.
func ReadLog(path string, run uint64, fields evidence.Fields) (*Log, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the access log: %w", err)
	}
	defer func() { _ = f.Close() }()
	l, err := ParseLog(f, run, fields)
	if err != nil {
		return nil, fmt.Errorf("read the access log %s: %w", path, err)
	}
	return l, nil
}

// ParseLog is ReadLog on a stream.
func ParseLog(from io.Reader, run uint64, fields evidence.Fields) (*Log, error) {
	l := newLog(fields)
	mark := marked(run)
	r := bufio.NewReaderSize(from, 64<<10)
	for {
		text, over, err := line(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		switch {
		case over:
			l.Foreign++
		case len(bytes.TrimSpace(text)) > 0:
			l.add(text, run, mark)
		}
		if errors.Is(err, io.EOF) {
			return l, nil
		}
	}
}

// marked is how the ids of all exchanges of a run begin.
func marked(run uint64) []byte { return []byte(exchange.ID{Run: run, Seq: 1}.String()[:16]) }

// line reads one line, which is valid until the next is read; over says that it
// was too long.
func line(r *bufio.Reader) (text []byte, over bool, err error) {
	text, err = r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return text, false, err
	}
	text = bytes.Clone(text)
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = r.ReadSlice('\n')
		if over = over || len(text)+len(more) > maxLine; !over {
			text = append(text, more...)
		}
	}
	return text, over, err
}

// add reads one line. A line that breaks off is what a killed target leaves.
func (l *Log) add(text []byte, run uint64, mark []byte) {
	r := reading{log: l, run: run, mark: mark}
	if !members(text, r.member) {
		l.Foreign++
		return
	}
	l.take(r.line())
}

// take adds a line.
func (l *Log) take(line Line) {
	if line.Sized {
		l.Sized++
	}
	if line.Took > 0 {
		l.Timed++
	}
	l.Lines = append(l.Lines, line)
}

// clip leaves out what has another length than it must have.
func clip(value []byte, length int) []byte {
	if len(value) != length {
		return nil
	}
	return value
}

// method gives one of the usual methods without keeping the line.
func method(value []byte) string {
	for _, m := range methods {
		if string(value) == m {
			return m
		}
	}
	return string(value)
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"}
