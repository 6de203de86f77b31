package telemetry

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"gauntlet/proxy/telemetry/otlp"
)

// maxPath bounds a path, a host and a header value in a log line.
const maxPath = 1024

// accessLog turns exchanges into lines, JSON for a file and OTLP.
type accessLog struct {
	headers, keys []string
	query         bool
	admission     *admission
	mask          *masker
	file, otlp    *asyncLines // nil: none
	bufs          sync.Pool   // *[]byte, of lines being made; clip bounds them
}

func newAccessLog(o Options, mask *masker, file, otlp *asyncLines) *accessLog {
	l := &accessLog{query: o.LogQuery, mask: mask, file: file, otlp: otlp, admission: &admission{LogSampling: o.LogSampling}}
	l.bufs.New = func() any { return new([]byte) }
	for _, h := range o.Headers {
		l.headers = append(l.headers, http.CanonicalHeaderKey(h))
		l.keys = append(l.keys, logKey(h))
	}
	return l
}

// level is that of an exchange's line: errors of the service are errors, what
// went wrong for other reasons is a warning.
func (e *Ended) level() slog.Level {
	switch {
	case e.Failed():
		return slog.LevelError
	case e.Class != "":
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Log writes the line of an exchange, if there is an access log. It does not
// wait for the writer: a line for which there is no room is dropped and
// counted.
func (t *Telemetry) Log(r *http.Request, line *Ended) {
	l := t.log
	if l == nil {
		return
	}
	level, at := line.level(), line.Started.Add(line.Took)
	if why := l.admission.refuse(level, line.Trace.sc, at); why != "" {
		for _, out := range []*asyncLines{l.file, l.otlp} {
			if out != nil {
				out.leftOut.WithLabelValues(why).Inc()
			}
		}
		return
	}
	attrs := make([]slog.Attr, 0, 24)
	attrs = append(attrs, slog.Time(LogTime, line.Started))
	if line.Trace.Valid() {
		attrs = append(attrs, slog.String(LogTraceID, line.Trace.TraceID()), slog.String(LogSpanID, line.Trace.SpanID()))
	}
	fields := len(attrs)
	attrs = l.attrs(attrs, r, line)
	buf := l.bufs.Get().(*[]byte)
	if l.file != nil {
		*buf = appendLine((*buf)[:0], level, accessMessage, attrs)
		l.file.add(*buf)
	}
	if l.otlp != nil {
		*buf = otlp.AppendLog((*buf)[:0], otlp.Record{Time: at, Level: level, Message: accessMessage, Span: line.Trace.sc, Attrs: attrs[fields:]})
		l.otlp.add(*buf)
	}
	l.bufs.Put(buf)
}

// accessMessage is the message of every line of the access log.
const accessMessage = "exchange"

// attrs adds what is told of an exchange.
func (l *accessLog) attrs(attrs []slog.Attr, r *http.Request, line *Ended) []slog.Attr {
	for i, h := range l.headers {
		if v := r.Header.Get(h); v != "" {
			attrs = append(attrs, slog.String(l.keys[i], clip(l.mask.header(h, v))))
		}
	}
	path, query, _ := strings.Cut(r.RequestURI, "?")
	attrs = append(attrs,
		slog.String(LogClient, r.RemoteAddr),
		slog.String(LogMethod, clip(r.Method)),
		slog.String(LogProtocol, r.Proto),
		slog.String(LogHost, clip(l.mask.text(r.Host))),
		slog.String(LogPath, clip(l.mask.text(path))),
		slog.Int(LogStatus, line.Status),
		slog.Int64(LogBytes, line.Sent),
		slog.Float64(LogDuration, float64(line.Took.Microseconds())/1000),
		slog.Int(LogAttempts, line.Attempts))
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	if l.query {
		text(LogQuery, clip(l.mask.parameters(query)))
	}
	if line.Received > 0 {
		attrs = append(attrs, slog.Int64(LogReceived, line.Received))
	}
	text(LogTLS, tlsVersion(r.TLS))
	text(LogRoute, line.Route)
	text(LogUpstream, line.Upstream)
	text(LogEndpoint, line.Endpoint)
	text(LogError, line.Class)
	if line.Aborted {
		attrs = append(attrs, slog.Bool(LogAborted, true))
	}
	if line.HalfClosed {
		attrs = append(attrs, slog.Bool(LogHalfClosed, true))
	}
	return attrs
}

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
