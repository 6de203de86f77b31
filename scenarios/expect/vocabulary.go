package expect

import "cel.dev/cel-go/cel"

// The vocabulary of expressions: the one table from which the type checker, the
// documentation and the values are made.

var (
	integer  = cel.IntType
	number   = cel.DoubleType
	text     = cel.StringType
	boolean  = cel.BoolType
	duration = cel.DurationType
)

func ledgerKind() *kind {
	return &kind{name: "Ledger", fields: []member{
		{"sent", integer, "exchanges sent: the sum of the outcomes"},
		{"crosswired", integer, "got somebody else's answer"},
		{"corrupted", integer, "got other bytes than were written"},
		{"duplicated", integer, "not idempotent and ran twice"},
		{"truncated", integer, "cut, and the receiver could not tell"},
		{"stuck", integer, "had no end by their deadline"},
		{"abandoned", integer, "left by their client on purpose"},
		{"unverified", integer, "a missing book could change the outcome"},
		{"delivered", integer, "got the whole answer"},
		{"rejected", integer, "failed honestly and provably never ran"},
		{"indeterminate", integer, "failed honestly and may have run"},
		{"lost", integer, "the client was not told the truth, or an answer that had reached the proxy was dropped"},
		{"damaged", integer, "crosswired, corrupted, duplicated, truncated, stuck or lost"},
		{"failed", integer, "rejected or indeterminate: failed honestly"},
		{"unknown", integer, "unverified"},
		{"avoidable", integer, "honest failures that a correct proxy would have served"},
		{"phantom", integer, "requests a backend ran that nobody sent (outside the sum)"},
		{"unsent", integer, "planned and never started (outside the sum)"},
		{"anonymous", integer, "requests without an id, such as probes (outside the sum)"},
	}}
}

func latencyKind() *kind {
	return &kind{name: "Latency", fields: []member{
		{"p50", duration, "half of the exchanges took at most this, from their intended start"},
		{"p90", duration, "90 % did"},
		{"p95", duration, "95 % did"},
		{"p99", duration, "99 % did"},
		{"max", duration, "all did"},
	}}
}

func loadKind() *kind {
	return &kind{name: "Load", fields: []member{
		{"sent", integer, "exchanges started"},
		{"planned", integer, "exchanges the plan held; within a window, those started"},
		{"delivered", integer, "got the whole answer"},
		{"abandoned", integer, "left by their client on purpose"},
		{"availability", number, "share, of those not abandoned, that got a whole answer below 500: 0 to 1"},
		{"latency", cel.ObjectType("Latency"), "over all that were not abandoned, from their intended start"},
	}}
}

func clientSideKind() *kind {
	return &kind{name: "ClientSide", fields: []member{
		{"ended", text, "clean, aborted, timeout, refused, abandoned, malformed or none"},
		{"made_by", text, "backend, proxy or nobody: whose answer it was"},
		{"is_prefix_of_backend", boolean, "what came of the backend's body is its beginning, unchanged"},
		{"bytes", integer, "body bytes received"},
		{"interim", integer, "1xx answers received"},
		{"first_byte", duration, "from the start to the first byte of the final answer"},
		{"connection", integer, "the client's connection, from 1"},
		{"reused", boolean, "sent on a connection that had served before"},
		{"close_announced", boolean, "the answer said Connection: close"},
		{"sent_all", boolean, "the whole request was written"},
		{"surplus", boolean, "bytes came after the answer's end"},
		{"error_code", text, "the error code by which the peer ended its HTTP/2 stream or connection, as in NO_ERROR; empty when it named none"},
	}}
}

func exchangeKind() *kind {
	return &kind{name: "Exchange", fields: []member{
		{"outcome", text, "its outcome in the ledger, or unsent"},
		{"status", integer, "final status, 0 when none came"},
		{"took", duration, "from the first byte sent to the end"},
		{"attempts", integer, "tries the target's trace owns up to"},
		{"sightings", integer, "times a backend saw some of it"},
		{"avoidable", boolean, "an honest failure that a correct proxy would have served"},
		{"client", cel.ObjectType("ClientSide"), "what its client saw"},
	}}
}

func attemptKind() *kind {
	return &kind{name: "Attempt", fields: []member{
		{"error_type", text, "error.type of its span, empty when it succeeded"},
		{"phase", text, "where it failed: queue, connect, tls, write, headers or body"},
		{"reason", text, "why there was another: recovery or retry, empty for the first"},
		{"endpoint", text, "host:port it went to"},
		{"resend", integer, "http.request.resend_count"},
	}}
}

func backendKind() *kind {
	return &kind{name: "Backend", fields: []member{
		{"requests", integer, "requests seen, probes aside"},
		{"connections", integer, "connections that carried a request"},
		{"max_connections", integer, "most connections that were certainly open at one moment"},
		{"delivered", integer, "answers written whole"},
	}}
}

func clientKind() *kind {
	return &kind{name: "Client", fields: []member{
		{"connections", integer, "connections the clients used"},
		{"reused", integer, "exchanges sent on a connection that had served before"},
	}}
}

func targetKind() *kind {
	return &kind{name: "Target", fields: []member{
		{"baseline", cel.ObjectType("Sample"), "the process before the clients began"},
		{"idle_connections", integer, "connections it kept idle in the end"},
		{"crashed", boolean, "it ended while nobody had asked it to"},
		{"replaced", boolean, "another process has taken its place, as an upgrade asked"},
		{"exit_code", integer, "how its process ended"},
	}}
}

func sampleKind() *kind {
	return &kind{name: "Sample", fields: append([]member{
		{"descriptors", integer, "open descriptors of the process"},
		{"rss", integer, "resident memory in bytes"},
		{"idle", integer, "connections kept idle"},
	}, metrics()...)}
}

// metrics are our words for what targets measure; an adapter maps them.
func metrics() []member {
	return []member{
		{"pool_leased", integer, "upstream connections in use"},
		{"pool_idle", integer, "upstream connections kept idle"},
		{"pool_waiting", integer, "requests waiting for a connection"},
		{"inflight", integer, "exchanges in flight"},
		{"goroutines", integer, "goroutines of the process"},
	}
}

func kinds() map[string]*kind {
	all := map[string]*kind{}
	for _, k := range []*kind{ledgerKind(), latencyKind(), loadKind(), clientSideKind(), exchangeKind(), attemptKind(), backendKind(), clientKind(), targetKind(), sampleKind()} {
		all[k.name] = k
	}
	return all
}

// variables are what an expression may start from.
func variables() []member {
	return []member{
		{"ledger", cel.ObjectType("Ledger"), "the outcomes of all exchanges"},
		{"latency", cel.ObjectType("Latency"), "of all loads together, or of every exchange where there is no load"},
		{"backend", cel.ObjectType("Backend"), "all backends together; backend(n) is one"},
		{"client", cel.ObjectType("Client"), "all clients and loads together"},
		{"target", cel.ObjectType("Target"), "the process under test"},
		{"mismatches", integer, "scripted reads that got something else than they demanded"},
	}
}
