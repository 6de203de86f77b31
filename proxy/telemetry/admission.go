package telemetry

import (
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// LogSampling says which lines below error level are written. Those of errors
// always are.
type LogSampling struct {
	// Info and Warn are the shares of lines of these levels that are written,
	// 0 to 1, by trace id: with the same share for traces, those of a trace
	// that is recorded are. A line that belongs to no trace is written.
	Info, Warn float64
	// Rate is how many lines below error level are written in a second; 0: all.
	Rate int
}

// Why a line was left out, the values of LabelReason in MetricLeftOut.
const (
	LeftOutSampled = "sampled"      // by the share of its level
	LeftOutRate    = "rate_limited" // beyond the rate
)

// admission decides which lines of a log are written.
type admission struct {
	LogSampling

	mu     sync.Mutex
	second int64 // Unix time that count is of
	count  int
}

// refuse says why a line is not written, "" for one that is.
func (a *admission) refuse(level slog.Level, sc trace.SpanContext, now time.Time) string {
	if level >= slog.LevelError {
		return ""
	}
	share := a.Info
	if level >= slog.LevelWarn {
		share = a.Warn
	}
	if share < 1 && sc.IsValid() && !within(share, sc.TraceID()) {
		return LeftOutSampled
	}
	if a.Rate <= 0 {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := now.Unix(); s != a.second {
		a.second, a.count = s, 0
	}
	if a.count >= a.Rate {
		return LeftOutRate
	}
	a.count++
	return ""
}
