package policy

import (
	"net/http"
	"slices"
)

// Stack is the order of the policies of one upstream, outermost first.
func Stack(cfg Config) []Layer {
	none := func(next http.RoundTripper) http.RoundTripper { return next }
	rewrite, limit, hedge, perTry, pick, telemetry := none, none, none, none, none, none
	retry := filled(cfg.Retry)
	budget := newBudget(retry.Budget)
	if h := cfg.Hedge; h.After > 0 && h.Max > 0 {
		hedge = func(next http.RoundTripper) http.RoundTripper {
			return &hedger{cfg: h, retry: retry, budget: budget, next: next}
		}
	}
	if cfg.PerTry > 0 {
		perTry = func(next http.RoundTripper) http.RoundTripper { return &tryLimit{next: next, limit: cfg.PerTry} }
	}
	if cfg.Rewrite != nil {
		rewrite = cfg.Rewrite
	}
	if cfg.Limit != nil {
		limit = cfg.Limit
	}
	if cfg.Pick != nil {
		pick = cfg.Pick
	}
	if cfg.Telemetry != nil {
		telemetry = cfg.Telemetry
	}
	return []Layer{
		// Outermost: it changes what the client is given, once, after the others
		// have seen what the upstream said.
		{"rewrite", rewrite},
		// Around all that takes time, so that queues, backoff and every try
		// draw from it.
		{"deadline", func(next http.RoundTripper) http.RoundTripper { return &deadline{next: next, limit: cfg.Deadline} }},
		// Within the deadline, which the wait for a place draws from; above the
		// retry, so that an exchange keeps its place from try to try: one that
		// has begun must not be turned away in favour of one that has not.
		{"limit", limit},
		// Above the choice of an endpoint, so that a try may go elsewhere.
		{"retry", func(next http.RoundTripper) http.RoundTripper {
			return &retrier{cfg: retry, budget: budget, next: next}
		}},
		// A try of the retry's may become several side by side; what they come
		// to is judged as one. Each has the per-try timeout for itself.
		{"hedge", hedge},
		// Within the retry: one slow try must not spend the time of the others.
		{"per-try", perTry},
		// Per try, and above telemetry, so that a span knows its endpoint and
		// a request that a breaker turned away makes no attempt span.
		{"pick", pick},
		// Innermost: one span is one use of a connection.
		{"telemetry", telemetry},
	}
}

// Compose wraps base with the layers; the first one is outermost.
func Compose(layers []Layer, base http.RoundTripper) http.RoundTripper {
	for _, layer := range slices.Backward(layers) {
		base = layer.Wrap(base)
	}
	return base
}
