package policy

import "net/http"

// Idempotent tells whether a request may be sent again although it may have
// been processed (RFC 9110 §9.2.2): by its method, or because its client made
// it so with an Idempotency-Key.
func Idempotent(req *http.Request) bool {
	return idempotentMethod(req.Method) || len(req.Header["Idempotency-Key"]) > 0
}

func idempotentMethod(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
