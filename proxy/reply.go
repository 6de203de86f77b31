package proxy

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"gauntlet/proxy/edge"
)

// reply answers a request with a failure of the proxy's own making and writes
// down that it did.
func reply(w http.ResponseWriter, r *http.Request, f failure) {
	ex := edge.From(r.Context())
	ex.Class = f.class
	text := http.StatusText(f.status) + ": " + f.class + "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set(HeaderError, f.class)
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.retryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(f.status)
	var err error
	if r.Method != http.MethodHead {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err != nil {
		ex.Status, ex.Class = StatusClientGone, "client_gone"
		panic(http.ErrAbortHandler)
	}
}
