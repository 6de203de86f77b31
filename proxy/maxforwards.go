package proxy

import (
	"net/http"
	"strconv"
	"strings"
)

// maxForwards is the field by which a client says how far OPTIONS and TRACE may
// go (RFC 9110 §7.6.2). Of other methods it may be ignored, and is.
const maxForwards = "Max-Forwards"

// lastForward gives what is left of the forwards of a request that counts them.
// What is no number says nothing.
func lastForward(r *http.Request) (left uint64, ok bool) {
	if r.Method != http.MethodOptions && r.Method != http.MethodTrace {
		return 0, false
	}
	values := r.Header[maxForwards]
	if len(values) != 1 || strings.TrimLeft(values[0], "0123456789") != "" {
		return 0, false
	}
	left, err := strconv.ParseUint(values[0], 10, 64)
	return left, err == nil
}

// forwards takes one from the forwards of a request, or answers it where none is
// left: OPTIONS with what may be asked here, TRACE by refusing it, since it would
// show what others have added to the request.
func (p *Proxy) forwards(w http.ResponseWriter, r *http.Request, left uint64) bool {
	if left > 0 {
		r.Header[maxForwards] = []string{strconv.FormatUint(left-1, 10)}
		return true
	}
	w.Header().Set("Allow", allowed)
	if r.Method == http.MethodTrace {
		reply(w, r, failure{status: http.StatusMethodNotAllowed, class: "trace_not_answered"})
		return false
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return false
}
