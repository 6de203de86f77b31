package telemetry

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
)

func TestAdmission(t *testing.T) {
	now := time.Unix(1700000000, 0)
	low := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})
	for name, c := range map[string]struct {
		with  LogSampling
		level slog.Level
		of    trace.SpanContext
		want  string
	}{
		"info, none":             {LogSampling{Warn: 1}, slog.LevelInfo, low, LeftOutSampled},
		"debug, none":            {LogSampling{Warn: 1}, slog.LevelDebug, low, LeftOutSampled},
		"warn, all":              {LogSampling{Warn: 1}, slog.LevelWarn, low, ""},
		"warn, none":             {LogSampling{Info: 1}, slog.LevelWarn, low, LeftOutSampled},
		"error, never":           {LogSampling{}, slog.LevelError, low, ""},
		"info, id within":        {LogSampling{Info: .001}, slog.LevelInfo, low, ""},
		"info, of no exchange":   {LogSampling{}, slog.LevelInfo, trace.SpanContext{}, ""},
		"info, all, of no limit": {LogSampling{Info: 1}, slog.LevelInfo, low, ""},
	} {
		a := &admission{LogSampling: c.with}
		require.Equal(t, c.want, a.refuse(c.level, c.of, now), name)
	}

	a := &admission{LogSampling: LogSampling{Info: 1, Warn: 1, Rate: 3}}
	refused := func(n int, level slog.Level, at time.Time) (count int) {
		for range n {
			if a.refuse(level, low, at) == LeftOutRate {
				count++
			}
		}
		return count
	}
	require.Equal(t, 2, refused(5, slog.LevelInfo, now))
	require.Equal(t, 5, refused(5, slog.LevelWarn, now.Add(900*time.Millisecond)), "the same second")
	require.Zero(t, refused(5, slog.LevelError, now), "errors are not limited")
	require.Equal(t, 2, refused(5, slog.LevelInfo, now.Add(time.Second)))
}
