// Package meter counts and times exchanges. It sees each one exactly once,
// also those that panic, and knows nothing of spans or logs.
package meter

import (
	"net/http"
	"time"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/telemetry"
)

// Layer returns the layer.
func Layer(t *telemetry.Telemetry) edge.Layer {
	return edge.Layer{Name: "meter", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ex := edge.From(r.Context())
			t.Begin()
			defer func() { t.End(r.Method, ex.Status, time.Since(ex.Started), ex.Trace) }()
			next.ServeHTTP(w, r)
		})
	}}
}
