package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// FuzzLine: whatever a client sends, a line is one line of JSON that says the
// same as slog's.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "/a b", "\"\\\n\r\t\x00\x1f\x7f", "ü\u2028\u2029😀", "\xff\xc3", "</script>"} {
		f.Add(s, int64(-7), 1.25)
	}
	f.Fuzz(func(t *testing.T, s string, n int64, d float64) {
		if d != d || d > 1e15 || d < -1e15 {
			return
		}
		attrs := []slog.Attr{
			slog.Time("ts", time.Unix(1700000000, 120)), slog.String("s", s), slog.Int64("n", n),
			slog.Float64("d", d), slog.Bool("b", true), slog.Uint64("u", uint64(n)), slog.Duration("other", time.Second),
		}
		line := appendLine(nil, slog.LevelInfo, "exchange", attrs)
		require.Equal(t, 1, bytes.Count(line, []byte("\n")))
		var want bytes.Buffer
		record := slog.NewRecord(time.Time{}, slog.LevelInfo, "exchange", 0)
		record.AddAttrs(attrs[:6]...)
		require.NoError(t, slog.NewJSONHandler(&want, nil).Handle(t.Context(), record))
		var a, b map[string]any
		require.NoError(t, json.Unmarshal(line, &a), "%q", line)
		require.NoError(t, json.Unmarshal(want.Bytes(), &b))
		delete(a, "other")
		require.Equal(t, b, a)
	})
}

// failing refuses every write.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestEveryLineIsWrittenOrCounted(t *testing.T) {
	for name, w := range map[string]io.Writer{"good": &bytes.Buffer{}, "full disk": failing{}} {
		m := newMetrics(prometheus.NewRegistry())
		a := newAsyncLines(m.newDelivery("x"), gatherFile, writing(w))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5000 {
					a.add([]byte("0123456789\n"))
				}
			})
		}
		wg.Wait()
		require.NoError(t, a.close(t.Context()))
		require.NoError(t, a.close(t.Context()))
		a.add([]byte("too late\n"))
		written := 0
		if buf, ok := w.(*bytes.Buffer); ok {
			written = bytes.Count(buf.Bytes(), []byte("0123456789\n"))
			require.Len(t, buf.Bytes(), 11*written)
			require.Positive(t, written)
		}
		require.InDelta(t, written, sum(m.exported), 0, name)
		require.InDelta(t, 20_001, sum(m.recorded), 0, name)
		require.InDelta(t, 20_001, float64(written)+sum(m.dropped), 0, name)
	}
}

// sum is that of all series of a counter.
func sum(c prometheus.Collector) (total float64) {
	ch := make(chan prometheus.Metric)
	go func() { c.Collect(ch); close(ch) }()
	for one := range ch {
		var m dto.Metric
		_ = one.Write(&m)
		total += m.GetCounter().GetValue()
	}
	return total
}
