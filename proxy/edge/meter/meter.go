// Package meter counts and times exchanges. It sees each one exactly once,
// also those that panic, and knows nothing of spans or logs.
package meter

import (
	"net/http"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/telemetry"
)

// Layer returns the layer.
func Layer(t *telemetry.Telemetry) edge.Layer {
	return edge.Layer{Name: "meter", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ex := edge.From(r.Context())
			t.Begin()
			defer func() { t.End(ex.Ended(r)) }()
			next.ServeHTTP(w, r)
		})
	}}
}
