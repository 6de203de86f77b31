package policy

import "net/http"

// Compose wraps base with the layers; the first one is outermost.
func Compose(layers []Layer, base http.RoundTripper) http.RoundTripper {
	for i := len(layers) - 1; i >= 0; i-- {
		base = layers[i].Wrap(base)
	}
	return base
}
