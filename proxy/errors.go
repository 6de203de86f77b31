package proxy

import (
	"errors"
	"net/http"
	"syscall"
	"time"

	"gauntlet/proxy/policy/limit"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
)

// StatusClientGone stands in logs, metrics and spans for a client that left
// before it could be answered. Nothing is sent. The number is nginx's.
const StatusClientGone = 499

// HeaderError names, on an answer the proxy made itself, what went wrong.
const HeaderError = "Gauntlet-Error"

// A failure is what an error means to the client.
type failure struct {
	status     int
	class      string
	retryAfter time.Duration // of a 503; 0: nothing is known
}

// causes says what each error becomes, first match first: 503 for what the
// proxy refuses by its own limits, 504 for lateness, 502 for what an upstream
// did wrong (RFC 9110 §15.6), 4xx for what the client did.
var causes = []struct {
	err    error
	status int
	class  string
}{
	{transport.ErrPoolTimeout, http.StatusServiceUnavailable, "pool_timeout"},
	{transport.ErrPoolFull, http.StatusServiceUnavailable, "pool_full"},
	{transport.ErrPoolClosed, http.StatusServiceUnavailable, "stopping"},
	{limit.ErrTimeout, http.StatusServiceUnavailable, "limit_timeout"},
	{limit.ErrFull, http.StatusServiceUnavailable, "limit_full"},
	{upstream.ErrBreakerOpen, http.StatusServiceUnavailable, "breaker_open"},
	{upstream.ErrNoEndpoints, http.StatusServiceUnavailable, "no_endpoint"},
	{transport.ErrConnectTimeout, http.StatusGatewayTimeout, "connect_timeout"},
	{transport.ErrTLSTimeout, http.StatusGatewayTimeout, "tls_timeout"},
	{transport.ErrWriteTimeout, http.StatusGatewayTimeout, "write_timeout"},
	{transport.ErrHeaderTimeout, http.StatusGatewayTimeout, "headers_timeout"},
	{transport.ErrBodyIdleTimeout, http.StatusGatewayTimeout, "body_timeout"},
	{transport.ErrPerTryTimeout, http.StatusGatewayTimeout, "per_try_timeout"},
	{transport.ErrDeadline, http.StatusGatewayTimeout, "deadline"},
	{transport.ErrClientGone, StatusClientGone, "client_gone"},
	{transport.ErrInvalidRequest, http.StatusBadRequest, "request_invalid"},
	{transport.ErrRequestBody, http.StatusBadRequest, "request_malformed"},
	// Sockets and ports are ours to have: no upstream did wrong.
	{syscall.EADDRNOTAVAIL, http.StatusServiceUnavailable, "no_local_port"},
	{syscall.EMFILE, http.StatusServiceUnavailable, "no_descriptor"},
	{syscall.ENFILE, http.StatusServiceUnavailable, "no_descriptor"},
	{syscall.ECONNREFUSED, http.StatusBadGateway, "connect_refused"},
	{transport.ErrConnect, http.StatusBadGateway, "connect_failed"},
	{transport.ErrCertificate, http.StatusBadGateway, "tls_certificate"},
	{transport.ErrTLS, http.StatusBadGateway, "tls_failed"},
	{transport.ErrMalformed, http.StatusBadGateway, "upstream_malformed"},
	{transport.ErrResponseHeaderTooLarge, http.StatusBadGateway, "upstream_head_too_large"},
	{transport.ErrTruncated, http.StatusBadGateway, "upstream_truncated"},
	{syscall.ECONNRESET, http.StatusBadGateway, "upstream_reset"},
	{transport.ErrStreamReset, http.StatusBadGateway, "upstream_reset"},
	{transport.ErrUpstreamClosed, http.StatusBadGateway, "upstream_closed"},
	{transport.ErrWrite, http.StatusBadGateway, "upstream_write_failed"},
}

// bodyCauses say what a request body that could not be read becomes.
var bodyCauses = map[bodyFault]failure{
	bodyTruncated: {status: http.StatusBadRequest, class: "request_truncated"},
	bodyMalformed: {status: http.StatusBadRequest, class: "request_malformed"},
	bodyTimeout:   {status: http.StatusRequestTimeout, class: "request_timeout"},
	bodyReset:     {status: StatusClientGone, class: "client_gone"},
}

// explain turns the error of an exchange into what the client is told. What
// happened to the request body comes first: everything after follows from it.
func explain(err error, body bodyFault) failure {
	if f, ok := bodyCauses[body]; ok {
		return f
	}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			f := failure{status: c.status, class: c.class}
			if e, ok := errors.AsType[*transport.Error](err); ok {
				f.retryAfter = e.RetryAfter
				if e.Source == transport.SourceClient && e.Timeout {
					return bodyCauses[bodyTimeout] // it was the client that all waited for
				}
			}
			if f.status == http.StatusServiceUnavailable {
				f.retryAfter = max(f.retryAfter, time.Second)
			}
			return f
		}
	}
	return failure{status: http.StatusBadGateway, class: "upstream_failed"}
}
