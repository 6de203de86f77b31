package telemetry

import "go.opentelemetry.io/otel/attribute"

// Metrics.
const (
	MetricRequests        = "gauntlet_http_requests_total"
	MetricDuration        = "gauntlet_http_request_duration_seconds"
	MetricReceived        = "gauntlet_http_request_size_bytes"
	MetricSent            = "gauntlet_http_response_size_bytes"
	MetricInflight        = "gauntlet_inflight_requests"
	MetricClients         = "gauntlet_client_connections"
	MetricAttempts        = "gauntlet_upstream_attempts_total"
	MetricAttemptDuration = "gauntlet_upstream_attempt_duration_seconds"
	MetricPhase           = "gauntlet_upstream_phase_duration_seconds"
	MetricRetries         = "gauntlet_retries_total"
	MetricDenied          = "gauntlet_retries_denied_total"
	MetricRejected        = "gauntlet_breaker_rejected_total"
	MetricPool            = "gauntlet_pool_connections"
	MetricDials           = "gauntlet_pool_dials_total"
	MetricBreaker         = "gauntlet_breaker_state"
	MetricEndpoint        = "gauntlet_endpoint_state"
	MetricWeight          = "gauntlet_endpoint_weight"
	MetricEjections       = "gauntlet_endpoint_ejections_total"
	MetricLimit           = "gauntlet_limit_exchanges"
	MetricLimited         = "gauntlet_limit_rejected_total"
	MetricFallback        = "gauntlet_fallback_total"
	MetricHandshakes      = "gauntlet_tls_handshakes_total"
	MetricTLSFailures     = "gauntlet_tls_failures_total"
	MetricCertificate     = "gauntlet_tls_certificate_expiry_timestamp_seconds"
	MetricCertReloads     = "gauntlet_tls_certificate_reloads_total"
	MetricGeneration      = "gauntlet_config_generation"
	MetricGenerations     = "gauntlet_config_generations_in_use"
	MetricReloads         = "gauntlet_config_reloads_total"
	MetricReloadOK        = "gauntlet_config_last_reload_successful"
	MetricReloadTime      = "gauntlet_config_last_reload_success_timestamp_seconds"
	MetricLookups         = "gauntlet_dns_lookups_total"
	MetricRecorded        = "gauntlet_telemetry_recorded_total"
	MetricExported        = "gauntlet_telemetry_exported_total"
	MetricLeftOut         = "gauntlet_telemetry_left_out_total"
	MetricDropped         = "gauntlet_telemetry_dropped_total"
)

// Metric labels.
const (
	LabelRoute       = "route"
	LabelMethod      = "method"
	LabelCode        = "code"
	LabelUpstream    = "upstream"
	LabelEndpoint    = "endpoint"
	LabelOutcome     = "outcome"
	LabelReason      = "reason"
	LabelState       = "state"
	LabelCertificate = "certificate"
	LabelError       = "error"
	LabelPhase       = "phase"
	LabelSide        = "side"
	LabelSignal      = "signal"
	LabelTraceID     = "trace_id" // of exemplars
	LabelSpanID      = "span_id"  // of exemplars
)

// LabelOverflow is the value of every label of what exceeds the bound on
// combinations of labels.
const LabelOverflow = "overflow"

// Span attributes that the HTTP semantic conventions name.
const (
	AttrMethod         = attribute.Key("http.request.method")
	AttrMethodOriginal = attribute.Key("http.request.method_original")
	AttrStatus         = attribute.Key("http.response.status_code")
	AttrResend         = attribute.Key("http.request.resend_count")
	AttrRoute          = attribute.Key("http.route")
	AttrPath           = attribute.Key("url.path")
	AttrScheme         = attribute.Key("url.scheme")
	AttrURL            = attribute.Key("url.full")
	AttrServerAddress  = attribute.Key("server.address")
	AttrServerPort     = attribute.Key("server.port")
	AttrClientAddress  = attribute.Key("client.address")
	AttrPeerAddress    = attribute.Key("network.peer.address")
	AttrPeerPort       = attribute.Key("network.peer.port")
	AttrProtoVersion   = attribute.Key("network.protocol.version")
	AttrTLSProtocol    = attribute.Key("tls.protocol.name")
	AttrTLSVersion     = attribute.Key("tls.protocol.version")
	AttrTLSCipher      = attribute.Key("tls.cipher")
	AttrTLSResumed     = attribute.Key("tls.resumed")
	AttrUserAgent      = attribute.Key("user_agent.original")
	AttrErrorType      = attribute.Key("error.type")
	AttrRequestSize    = attribute.Key("http.request.body.size")
	AttrResponseSize   = attribute.Key("http.response.body.size")
)

// Span attributes of our own.
const (
	AttrUpstream      = attribute.Key("gauntlet.upstream")
	AttrAttempts      = attribute.Key("gauntlet.attempts")
	AttrClass         = attribute.Key("gauntlet.error.class")
	AttrAborted       = attribute.Key("gauntlet.response.aborted")
	AttrHalfClosed    = attribute.Key("gauntlet.client.half_closed")
	AttrAttemptPhase  = attribute.Key("gauntlet.attempt.phase")
	AttrAttemptReason = attribute.Key("gauntlet.attempt.reason")
	AttrConnID        = attribute.Key("gauntlet.connection.id")
	AttrConnReused    = attribute.Key("gauntlet.connection.reused")
	AttrConnIdle      = attribute.Key("gauntlet.connection.idle_ms")
	AttrQueue         = attribute.Key("gauntlet.phase.queue_ms")
	AttrDial          = attribute.Key("gauntlet.phase.dial_ms")
	AttrTLS           = attribute.Key("gauntlet.phase.tls_ms")
	AttrWrite         = attribute.Key("gauntlet.phase.write_ms")
	AttrFirstByte     = attribute.Key("gauntlet.phase.first_byte_ms")
	AttrBody          = attribute.Key("gauntlet.phase.body_ms")
	AttrBytesOut      = attribute.Key("gauntlet.attempt.bytes_out")
	AttrBytesIn       = attribute.Key("gauntlet.attempt.bytes_in")
	AttrFraming       = attribute.Key("gauntlet.upstream.framing")
)

// EventPrefix stands before the attributes of events: gauntlet.reason,
// gauntlet.attempt, gauntlet.upstream, gauntlet.endpoint, gauntlet.fallback.
const EventPrefix = "gauntlet."

// Span events on the server span.
const (
	EventRejected = "breaker.rejected"
	EventOpened   = "breaker.opened"
	EventRetry    = "retry"
	EventDenied   = "retry.denied"
	EventFallback = "upstream.fallback"
	EventQueued   = "limit.queued"
	EventLimited  = "limit.rejected"
	EventEjected  = "endpoint.ejected"
)

// Values of error.type. Outcomes of attempts use them too.
const (
	ErrorTimeout     = "timeout"
	ErrorPoolTimeout = "pool_timeout"
	ErrorRefused     = "refused"
	ErrorReset       = "reset"
	ErrorClosed      = "closed"
	ErrorTLS         = "tls"
	ErrorTruncated   = "truncated"
	ErrorProtocol    = "protocol"
	ErrorCancelled   = "cancelled"
	ErrorRequestBody = "request_body"
	ErrorOther       = "_OTHER"
)

// Keys of log lines, after level and msg.
const (
	LogTime       = "ts"
	LogTraceID    = "trace_id"
	LogSpanID     = "span_id"
	LogMethod     = "method"
	LogHost       = "host"
	LogPath       = "path"
	LogStatus     = "status"
	LogBytes      = "bytes"
	LogDuration   = "duration_ms"
	LogQuery      = "query"
	LogRoute      = "route"
	LogReceived   = "request_bytes"
	LogUpstream   = "upstream"
	LogEndpoint   = "endpoint"
	LogAttempts   = "attempts"
	LogError      = "error"
	LogCause      = "cause"
	LogAborted    = "aborted"
	LogHalfClosed = "client_half_closed"
	LogClient     = "client"
	LogProtocol   = "protocol"
	LogTLS        = "tls"
)
