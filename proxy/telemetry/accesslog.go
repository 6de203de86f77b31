package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
)

// maxPath bounds a path, a host and a header value in a log line.
const maxPath = 1024

// accessLog turns exchanges into JSON lines.
type accessLog struct {
	headers []string
	keys    []string
	out     *asyncLines
	bufs    sync.Pool // *[]byte, of lines being made; clip bounds them
}

func newAccessLog(w io.Writer, headers []string, d *delivery) *accessLog {
	out := newAsyncLines(d, gatherFile, writing(w))
	l := &accessLog{out: out, bufs: sync.Pool{New: func() any { return new([]byte) }}}
	for _, h := range headers {
		l.headers = append(l.headers, http.CanonicalHeaderKey(h))
		l.keys = append(l.keys, logKey(h))
	}
	return l
}

// Log writes the line of an exchange, if there is an access log. It does not
// wait for the writer: a line for which there is no room is dropped and
// counted.
func (t *Telemetry) Log(r *http.Request, line *Ended) {
	l := t.log
	if l == nil {
		return
	}
	attrs := make([]slog.Attr, 0, 24)
	attrs = append(attrs, slog.Time(LogTime, line.Started))
	if line.Trace.Valid() {
		attrs = append(attrs, slog.String(LogTraceID, line.Trace.TraceID()), slog.String(LogSpanID, line.Trace.SpanID()))
	}
	for i, h := range l.headers {
		if v := r.Header.Get(h); v != "" {
			attrs = append(attrs, slog.String(l.keys[i], clip(v)))
		}
	}
	attrs = append(attrs,
		slog.String(LogClient, r.RemoteAddr),
		slog.String(LogMethod, clip(r.Method)),
		slog.String(LogProtocol, r.Proto),
		slog.String(LogHost, clip(r.Host)),
		slog.String(LogPath, clip(pathOnly(r.RequestURI))),
		slog.Int(LogStatus, line.Status),
		slog.Int64(LogBytes, line.Sent),
		slog.Float64(LogDuration, float64(line.Took.Microseconds())/1000),
		slog.Int(LogAttempts, line.Attempts))
	if r.TLS != nil {
		attrs = append(attrs, slog.String(LogTLS, tlsVersion(r.TLS)))
	}
	if line.Received > 0 {
		attrs = append(attrs, slog.Int64(LogReceived, line.Received))
	}
	if line.Route != "" {
		attrs = append(attrs, slog.String(LogRoute, line.Route))
	}
	if line.Upstream != "" {
		attrs = append(attrs, slog.String(LogUpstream, line.Upstream))
	}
	if line.Endpoint != "" {
		attrs = append(attrs, slog.String(LogEndpoint, line.Endpoint))
	}
	if line.Class != "" {
		attrs = append(attrs, slog.String(LogError, line.Class))
	}
	if line.Aborted {
		attrs = append(attrs, slog.Bool(LogAborted, true))
	}
	if line.HalfClosed {
		attrs = append(attrs, slog.Bool(LogHalfClosed, true))
	}
	buf := l.bufs.Get().(*[]byte)
	*buf = appendLine((*buf)[:0], "exchange", attrs)
	l.out.add(*buf)
	l.bufs.Put(buf)
}

func (l *accessLog) close(ctx context.Context) error { return l.out.close(ctx) }

func clip(s string) string {
	if len(s) > maxPath {
		return s[:maxPath] + "…"
	}
	return s
}

// logKey is the key of a header: X-Gauntlet-Id becomes x_gauntlet_id.
func logKey(header string) string {
	key := []byte(header)
	for i, c := range key {
		switch {
		case c == '-':
			key[i] = '_'
		case c >= 'A' && c <= 'Z':
			key[i] = c + 'a' - 'A'
		}
	}
	return string(key)
}
