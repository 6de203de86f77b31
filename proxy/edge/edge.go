// Package edge holds what happens to a request before it is routed and to its
// response on the way out: plain func(http.Handler) http.Handler layers, each
// in a small package of its own, and the record of the exchange they share.
//
// Layers watch, mark and refuse. They do not route, forward, retry or speak to
// an upstream. A layer that wraps the ResponseWriter offers Unwrap, so that
// http.ResponseController still reaches Flush, Hijack and full duplex; one
// that recovers panics raises http.ErrAbortHandler again, because it is how a
// truncated response is kept from looking whole (golang/go#28239).
package edge

import (
	"net/http"
	"slices"
)

// Layer is one named middleware.
type Layer struct {
	Name string
	Wrap func(http.Handler) http.Handler
}

// Compose wraps h with the layers; the first one is outermost.
func Compose(layers []Layer, h http.Handler) http.Handler {
	for _, layer := range slices.Backward(layers) {
		h = layer.Wrap(h)
	}
	return h
}
