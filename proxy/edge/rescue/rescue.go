// Package rescue keeps a panic from becoming an empty reply: it answers 500
// when nothing was written yet. http.ErrAbortHandler, by which forwarding cuts
// a response, passes through untouched.
package rescue

import (
	"log/slog"
	"net/http"
	"runtime/debug"

	"gauntlet/proxy/edge"
)

// Layer returns the layer, the innermost one: it marks the exchange as aborted
// before the layers around it write down what became of it.
func Layer(log *slog.Logger) edge.Layer {
	return edge.Layer{Name: "rescue", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ex := edge.From(r.Context())
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				wrote := ex.Status != 0
				if v != any(http.ErrAbortHandler) {
					log.ErrorContext(r.Context(), "panic while serving a request",
						"panic", v, "stack", string(debug.Stack()))
					ex.Class = "panic"
					if !wrote {
						http.Error(w, "internal error", http.StatusInternalServerError)
						return
					}
				}
				if !wrote {
					ex.Status = statusClientGone
					if ex.Class == "" {
						ex.Class = "client_gone"
					}
				}
				ex.Aborted = wrote && ex.Status != statusClientGone
				panic(http.ErrAbortHandler)
			}()
			next.ServeHTTP(w, r)
		})
	}}
}

// statusClientGone is logged when the client left before it was answered.
// The number is nginx's convention; it is never sent.
const statusClientGone = 499
