// Package announce tells clients that their connection will close, by
// Connection: close on the response (RFC 9112 §9.6): on every one while the proxy
// is stopping, else on the last one. It closes nothing itself. HTTP/2 clients are told by GOAWAY,
// which clientconn sends.
package announce

import (
	"io"
	"net/http"

	"gauntlet/proxy/edge"
)

// Layer returns the layer. closing is asked when a response's head is
// written, so that an exchange under way when the stop begins says it, too.
func Layer(closing func(*http.Request) bool) edge.Layer {
	return edge.Layer{Name: "announce", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 1 {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(&writer{ResponseWriter: w, closing: func() bool { return closing(r) }}, r)
		})
	}}
}

type writer struct {
	http.ResponseWriter
	closing func() bool
	wrote   bool
}

// WriteHeader adds the announcement to a final head.
func (w *writer) WriteHeader(status int) {
	if status >= 200 && !w.wrote {
		w.wrote = true
		if w.closing() {
			w.Header().Set("Connection", "close")
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes the head when nobody has.
func (w *writer) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom writes the head when nobody has.
func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return io.Copy(w.ResponseWriter, r)
}

// Unwrap gives http.ResponseController what is below.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
