package otlp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

type httpSender struct {
	o         Options
	base      string
	transport *http.Transport
	client    *http.Client
}

func newHTTP(o Options, u *url.URL) Sender {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 3, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: o.Timeout, ForceAttemptHTTP2: true}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots}
	return &httpSender{o: o, base: u.String(), transport: t, client: &http.Client{Transport: t}}
}

// Send implements Sender (OTLP specification, OTLP/HTTP).
func (s *httpSender) Send(ctx context.Context, signal Signal, request []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	body := request
	if s.o.Gzip {
		body = zip(request)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/v1/"+signal.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("export %s: %w", signal, err)
	}
	for name, value := range s.o.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if s.o.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return unanswered(signal, err)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &Error{Again: true, After: after(resp.Header.Get("Retry-After"), time.Now()), Err: fmt.Errorf("export %s: %w: %s", signal, ErrRefused, resp.Status)}
	}
	switch {
	case resp.StatusCode/100 != 2:
		return &Error{Err: fmt.Errorf("export %s: %w: %s", signal, ErrRefused, resp.Status)}
	case err != nil:
		return unanswered(signal, err)
	}
	return partial(signal, answer)
}

// Close implements Sender.
func (s *httpSender) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// unanswered is the error of a request without an answer.
func unanswered(signal Signal, err error) error {
	kind := ErrUnreachable
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Error{Again: true, Err: fmt.Errorf("export %s: %w", signal, err)}
	}
	return &Error{Again: true, Err: fmt.Errorf("export %s: %w: %w", signal, kind, err)}
}

// after reads a Retry-After (RFC 9110 §10.2.3), seconds or a date.
func after(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
