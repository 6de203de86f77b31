package wire

import (
	"strconv"
	"strings"
	"time"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/units"
)

// A Request says what to send. Its body is the one generated from the
// exchange's id.
type Request struct {
	Method   string        // "" means GET
	Path     string        // request-target without the target's prefix; "" means /
	Old      bool          // HTTP/1.0
	Host     string        // "" means the target's
	Fields   []http1.Field // a Host, Content-Length or Transfer-Encoding here replaces ours
	Size     int64         // body bytes
	Chunked  bool          // chunked framing instead of Content-Length
	Trailers []http1.Field // behind a chunked body
	Pace     units.Pace    // of the body; 0 means no limit
	Expect   bool          // Expect: 100-continue, RFC 9110 §10.1.1
	Key      bool          // carry an Idempotency-Key
	NoID     bool          // carry neither exchange id nor traceparent
	Cut      *int64        // stop sending after so many body bytes, on purpose
	Whole    []http1.Field // on HTTP/2: the field section as it is, instead of all of the above; ${id} is the exchange's id
	Tail     string        // raw bytes in the same write as the head; ${id} is the exchange's id

	// Slow is how long the backend takes over its answer because the request
	// asks it to, see Ask.
	Slow time.Duration
}

// Ask makes the request ask a backend that responds as asked for an answer.
func (r *Request) Ask(a script.Ask) {
	r.Fields = append(r.Fields, http1.Field{Name: exchange.AskHeader, Value: a.Encode()})
	r.Slow = a.After.D() + taking(int64(a.Size), a.Pace)
}

// Pacing is how long the exchange takes on purpose: what a deadline is to allow
// on top.
func (r *Request) Pacing() time.Duration { return r.Slow + taking(r.Size, r.Pace) }

func taking(size int64, pace units.Pace) time.Duration {
	if pace <= 0 {
		return 0
	}
	return time.Duration(float64(size) / float64(pace) * float64(time.Second))
}

func (r *Request) method() string {
	if r.Method == "" {
		return "GET"
	}
	return r.Method
}

// idempotent reports whether a proxy may repeat the request.
func (r *Request) idempotent() bool {
	return r.Key || book.ParseMethod(r.method()).Idempotent()
}

// framed reports whether the head announces a body (RFC 9110 §8.6: an empty
// one too where the method expects one).
func (r *Request) framed() bool {
	switch r.method() {
	case "POST", "PUT", "PATCH":
		return true
	}
	return r.Size > 0
}

// head gives the request's head as it is sent.
func (r *Request) head(t *Target, id exchange.ID) []byte {
	b := make([]byte, 0, 512)
	b = append(b, r.method()...)
	b = append(b, ' ')
	b = append(b, r.path(t)...)
	if r.Old {
		b = append(b, " HTTP/1.0\r\n"...)
	} else {
		b = append(b, " HTTP/1.1\r\n"...)
	}
	for _, f := range r.own(t, id) {
		if !has(r.Fields, f.Name) {
			b = appendField(b, f)
		}
	}
	for _, f := range t.Fields {
		if !has(r.Fields, f.Name) {
			b = appendField(b, f)
		}
	}
	for _, f := range r.Fields {
		b = appendField(b, f)
	}
	b = append(b, "\r\n"...)
	return append(b, strings.ReplaceAll(r.Tail, "${id}", id.String())...)
}

// path gives the request-target.
func (r *Request) path(t *Target) string {
	path := r.Path
	if path == "" {
		path = "/"
	}
	if r.method() != "CONNECT" && strings.HasPrefix(path, "/") {
		path = strings.TrimSuffix(t.Prefix, "/") + path
	}
	return path
}

// own gives the fields that the client adds by itself.
func (r *Request) own(t *Target, id exchange.ID) []http1.Field {
	host := r.Host
	if host == "" {
		host = t.host()
	}
	f := make([]http1.Field, 1, 8)
	f[0] = http1.Field{Name: "Host", Value: host}
	if !r.NoID {
		f = append(f, http1.Field{Name: exchange.Header, Value: id.String()}, http1.Field{Name: "traceparent", Value: id.Traceparent()})
	}
	if r.Key {
		f = append(f, http1.Field{Name: "Idempotency-Key", Value: id.String()})
	}
	if r.Expect {
		f = append(f, http1.Field{Name: "Expect", Value: "100-continue"})
	}
	switch {
	case has(r.Fields, "Content-Length") || has(r.Fields, "Transfer-Encoding"):
	case r.Chunked:
		f = append(f, http1.Field{Name: "Transfer-Encoding", Value: "chunked"})
		if len(r.Trailers) > 0 {
			f = append(f, http1.Field{Name: "Trailer", Value: names(r.Trailers)})
		}
	case r.framed():
		f = append(f, http1.Field{Name: "Content-Length", Value: strconv.FormatInt(r.Size, 10)})
	}
	return f
}

func names(fields []http1.Field) string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.Name
	}
	return strings.Join(list, ", ")
}

func has(fields []http1.Field, name string) bool {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

func appendField(b []byte, f http1.Field) []byte {
	b = append(b, f.Name...)
	b = append(b, ": "...)
	b = append(b, f.Value...)
	return append(b, "\r\n"...)
}
