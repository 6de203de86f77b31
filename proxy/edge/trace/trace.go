// Package trace gives each exchange its server span. It decides nothing about
// the exchange and makes no spans of attempts.
package trace

import (
	"net/http"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/telemetry"
)

// Layer returns the layer. The span ends when the handler returns or panics.
func Layer(t *telemetry.Telemetry) edge.Layer {
	return edge.Layer{Name: "trace", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ex := edge.From(r.Context())
			ctx, span := t.StartServer(r, ex.Started)
			ex.Trace = span.Trace
			defer func() { span.Finish(ex.Ended(r)) }()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}}
}
