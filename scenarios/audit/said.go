package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/evidence"
)

// A Saying is a line of the access log about one exchange.
type Saying struct {
	Time int64  // Unix nanoseconds of the exchange's end, 0 when the line does not say
	What string // "GET status=200 bytes=64": the line without what names the exchange
}

// ReadSayings gives the log lines about the wanted exchanges of a run.
func ReadSayings(path string, run uint64, wanted func(seq uint64) bool) (map[uint64][]Saying, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the access log: %w", err)
	}
	defer func() { _ = f.Close() }()
	said, mark := map[uint64][]Saying{}, marked(run)
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		text, over, err := line(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read the access log %s: %w", path, err)
		}
		l := newLog(evidence.Fields{})
		if !over && len(text) > 0 {
			l.add(text, run, mark)
		}
		for _, one := range l.Lines {
			if one.Seq != 0 && wanted(one.Seq) {
				said[one.Seq] = append(said[one.Seq], saying(text))
			}
		}
		if errors.Is(err, io.EOF) {
			return said, nil
		}
	}
}

// saying tells a line in the words of its own keys, in their order.
func saying(text []byte) Saying {
	var began time.Time
	var took float64
	var words []string
	members(text, func(key, value []byte) {
		switch string(key) {
		case "ts", "time", "timestamp":
			began, _ = time.Parse(time.RFC3339Nano, string(value))
			return
		case "msec": // nginx: when it wrote the line
			seconds, _ := strconv.ParseFloat(string(value), 64)
			began = time.UnixMilli(int64(seconds * 1000))
			return
		case "duration_ms":
			took, _ = strconv.ParseFloat(string(value), 64)
		case "level", "msg", "trace_id":
			return
		}
		if _, err := exchange.Parse(string(bytes.TrimSpace(value))); err != nil {
			words = append(words, string(key)+"="+string(value))
		}
	})
	s := Saying{What: strings.Join(words, " ")}
	if !began.IsZero() {
		s.Time = began.Add(time.Duration(took * 1e6)).UnixNano()
	}
	return s
}
