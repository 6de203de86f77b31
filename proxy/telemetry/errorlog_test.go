package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	tel, err := New(t.Context(), Options{Mask: Mask{Patterns: []string{PatternEmail}}, LogSampling: LogSampling{Warn: 1}})
	require.NoError(t, err)
	log := tel.Logger(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	req, err := http.NewRequest(http.MethodGet, "/", nil)
	require.NoError(t, err)
	ctx, span := tel.StartServer(req, time.Now())
	log.With("who", "user@ex.com").WithGroup("g").ErrorContext(ctx, "failed for user@ex.com", "error", errors.New("user@ex.com is bad"), "n", 1)
	log.InfoContext(ctx, "sampled away")
	log.Debug("below the level")
	Failed(ctx, log, &Ended{Status: 502, Class: "connect_refused"}, errors.New("x"))
	Failed(ctx, log, &Ended{Status: 499, Class: "client_gone"}, errors.New("x"))
	require.NoError(t, tel.Close(t.Context()))
	log.Warn("after the end")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	require.NotContains(t, out.String(), "user@")
	var first, second map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	require.Equal(t, "u***@ex.com", first["who"])
	require.Equal(t, map[string]any{
		"error": "u***@ex.com is bad", "n": 1.0, LogTraceID: span.TraceID(), LogSpanID: span.SpanID(),
	}, first["g"])
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &second))
	require.Equal(t, []any{"ERROR", exchangeFailed, span.TraceID(), span.SpanID(), "connect_refused", 502.0, "x"},
		[]any{second["level"], second["msg"], second[LogTraceID], second[LogSpanID], second[LogError], second[LogStatus], second[LogCause]})
	require.InDelta(t, 1, sum(tel.metrics.leftOut.WithLabelValues("error_log", LeftOutSampled)), 0)
	require.InDelta(t, 3, sum(tel.metrics.exported), 0)
}

// held is a handler that does not return before it is told to.
type held struct {
	slog.Handler
	release chan struct{}
}

func (h held) Handle(context.Context, slog.Record) error { <-h.release; return nil }

func TestLoggerNeverBlocks(t *testing.T) {
	tel, err := New(t.Context(), Options{})
	require.NoError(t, err)
	h := held{slog.NewJSONHandler(&bytes.Buffer{}, nil), make(chan struct{})}
	log := tel.Logger(h)
	const n = maxRecords + 100
	for range n {
		log.Error("x")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, tel.Close(ctx), context.DeadlineExceeded)
	close(h.release)
	require.NoError(t, tel.Close(t.Context()))
	require.InDelta(t, n, sum(tel.metrics.recorded), 0)
	require.InDelta(t, n, sum(tel.metrics.exported)+sum(tel.metrics.dropped), 0)
	require.GreaterOrEqual(t, sum(tel.metrics.dropped.WithLabelValues("error_log", DroppedFull)), 99.)
}
