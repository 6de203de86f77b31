package proxy

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// keepsLength reports whether the Content-Length of a request that came as
// frames is one that they can keep (RFC 9113 §8.1.1). net/http compares the two
// only where DATA follows the head, and while it does so the request is on its
// way; one that declares no body is held until its end is seen, since an upstream
// would have it whole with its head.
func (p *Proxy) keepsLength(w http.ResponseWriter, r *http.Request) bool {
	values := r.Header["Content-Length"]
	if !multiplexed(r) || len(values) == 0 {
		return true
	}
	n, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil {
		return false
	}
	for _, v := range values[1:] {
		if v != values[0] {
			return false
		}
	}
	if n != 0 {
		return r.ContentLength > 0 // zero where HEADERS ended the stream
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(p.current.Load().cfg.Limits.BodyTimeout))
	defer func() { _ = rc.SetReadDeadline(time.Time{}) }()
	_, err = r.Body.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}
