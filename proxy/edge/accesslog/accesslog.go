// Package accesslog writes one line an exchange, when it has ended and what
// it came to is known.
package accesslog

import (
	"net/http"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/telemetry"
)

// Layer returns the layer.
func Layer(t *telemetry.Telemetry) edge.Layer {
	return edge.Layer{Name: "access-log", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ex := edge.From(r.Context())
			defer func() { t.Log(r, ex.Ended(r)) }()
			next.ServeHTTP(w, r)
		})
	}}
}
