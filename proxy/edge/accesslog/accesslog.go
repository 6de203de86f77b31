// Package accesslog writes one line an exchange, when it has ended and what
// it came to is known.
package accesslog

import (
	"net/http"
	"time"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/telemetry"
)

// Layer returns the layer.
func Layer(t *telemetry.Telemetry) edge.Layer {
	return edge.Layer{Name: "access-log", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ex := edge.From(r.Context())
			defer func() {
				t.Log(r, telemetry.Line{
					Trace: ex.Trace, Status: ex.Status, Bytes: ex.Bytes, Started: ex.Started, Took: time.Since(ex.Started),
					Upstream: ex.Upstream, Endpoint: ex.Endpoint, Attempts: ex.Attempts,
					Class: ex.Class, Aborted: ex.Aborted, HalfClosed: ex.HalfClosed,
				})
			}()
			next.ServeHTTP(w, r)
		})
	}}
}
