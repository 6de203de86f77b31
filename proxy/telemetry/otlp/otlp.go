// Package otlp exports spans as OTLP over HTTP with protobuf. It encodes
// straight from the SDK's spans into one buffer that it keeps, which costs a
// fraction of building the messages first. It batches and drops nothing; that
// is its caller's business.
package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// Errors that ExportSpans wraps.
var (
	ErrRefused = errors.New("spans refused by the collector")
	ErrClosed  = errors.New("exporter is shut down")
)

const (
	timeout    = 10 * time.Second // of one export, tries and waits together
	tries      = 4
	firstWait  = 250 * time.Millisecond // doubled for each further try
	longest    = 5 * time.Second        // that a Retry-After is heeded for
	maxAnswer  = 64 << 10
	maxKeptBuf = 4 << 20
)

// Exporter sends spans to one collector. It is safe for concurrent use, though
// exports follow one another. Shut it down.
type Exporter struct {
	url       string
	transport *http.Transport
	client    *http.Client

	mu     sync.Mutex
	buf    []byte
	closed bool
}

var _ sdktrace.SpanExporter = (*Exporter)(nil)

// New gives an exporter to a collector's URL, such as
// http://127.0.0.1:4318/v1/traces. Nothing is dialled before an export.
func New(url string) *Exporter {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: timeout, ForceAttemptHTTP2: true}
	return &Exporter{url: url, transport: t, client: &http.Client{Transport: t}}
}

// ExportSpans sends spans and returns when the collector has taken them. One
// that says it is overloaded is asked again a few times. The error wraps
// ErrRefused when the collector answered and did not take all of them.
func (e *Exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	e.buf = appendRequest(e.buf[:0], spans)
	err := e.deliver(ctx)
	if cap(e.buf) > maxKeptBuf {
		e.buf = nil
	}
	return err
}

// Shutdown waits for an export under way, within ctx, and closes connections.
func (e *Exporter) Shutdown(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.transport.CloseIdleConnections()
	return nil
}

// deliver posts what buf holds.
func (e *Exporter) deliver(ctx context.Context) error {
	wait := firstWait
	for try := 1; ; try++ {
		again, after, err := e.post(ctx)
		if err == nil || !again || try == tries {
			return err
		}
		timer := time.NewTimer(max(wait, min(after, longest)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, context.Cause(ctx))
		}
		wait *= 2
	}
}

// post makes one try. again tells whether another makes sense, and after when
// the collector wants it.
func (e *Exporter) post(ctx context.Context) (again bool, after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(e.buf))
	if err != nil {
		return false, 0, fmt.Errorf("export spans: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := e.client.Do(req)
	if err != nil {
		// A kept connection may have died; where nobody listens nobody will.
		return ctx.Err() == nil && !errors.Is(err, syscall.ECONNREFUSED), 0, fmt.Errorf("export spans: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return true, time.Duration(min(max(seconds, 0), 3600)) * time.Second, fmt.Errorf("%w: %s", ErrRefused, resp.Status)
	}
	switch {
	case resp.StatusCode/100 != 2:
		return false, 0, fmt.Errorf("%w: %s", ErrRefused, resp.Status)
	case err != nil:
		return false, 0, fmt.Errorf("export spans: %w", err)
	}
	return false, 0, partial(body)
}

// partial reads an ExportTraceServiceResponse: its partial_success (1) counts
// rejected_spans (1) and may say why (2).
func partial(answer []byte) error {
	var rejected uint64
	var why []byte
	fields(answer, func(n protowire.Number, _ uint64, success []byte) {
		if n != 1 {
			return
		}
		fields(success, func(n protowire.Number, number uint64, text []byte) {
			switch n {
			case 1:
				rejected = number
			case 2:
				why = text
			default:
			}
		})
	})
	if rejected > 0 {
		return fmt.Errorf("%w: %d of them: %s", ErrRefused, rejected, why)
	}
	return nil
}

// fields gives f each field of a message: its number or its bytes.
func fields(message []byte, f func(n protowire.Number, number uint64, text []byte)) {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return
		}
		message = message[size:]
		if size = protowire.ConsumeFieldValue(n, kind, message); size < 0 {
			return
		}
		number, _ := protowire.ConsumeVarint(message)
		text, _ := protowire.ConsumeBytes(message)
		f(n, number, text)
		message = message[size:]
	}
}
