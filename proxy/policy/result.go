package policy

import (
	"bytes"
	"io"
	"net/http"

	"gauntlet/proxy/transport"
)

// maxKept bounds the body of a failed response that is kept while a retry is
// made.
const maxKept = 16 << 10

// result is what a try gave: a response or an error.
type result struct {
	resp *http.Response
	err  *transport.Error
}

// better is what the client should hear of two tries in a row. A response
// that is there is never given up for an error (it is the upstream's own
// word), nor an attempt that may have run for one that never began.
func better(before, now result) result {
	switch {
	case before == result{}, now.resp != nil:
		return now
	case now.err.Source == transport.SourceClient:
		return now.after(before)
	case before.resp != nil, now.err.Source == transport.SourceProxy && !now.err.Sent:
		return before
	}
	return now.after(before)
}

// after makes an error speak for the exchange as a whole: what any try may
// have sent was sent.
func (r result) after(before result) result {
	if r.err.Sent || (before.err != nil && !before.err.Sent) {
		return r
	}
	e := *r.err
	e.Sent, e.Unprocessed = true, false
	return result{err: &e}
}

// keep reads a response that a retry may replace, so that its connection is
// free and it can still be given. It reports false when the response is too
// large for that and must be given now.
func keep(got result) bool {
	if got.err != nil {
		return true
	}
	body := got.resp.Body
	kept, err := io.ReadAll(io.LimitReader(body, maxKept+1))
	switch {
	case err != nil: // broken: it is given with its error if nothing better comes
		got.resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(kept), failing{err}))
		return true
	case len(kept) > maxKept:
		got.resp.Body = rest{io.MultiReader(bytes.NewReader(kept), body), body}
		return false
	}
	_ = body.Close()
	got.resp.Body = io.NopCloser(bytes.NewReader(kept))
	return true
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type rest struct {
	io.Reader
	io.Closer
}
