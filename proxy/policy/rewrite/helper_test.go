package rewrite_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/policy/rewrite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errCut = errors.New("cut")

// pieces gives a body in the given pieces, one a Read, and then an error.
type pieces struct {
	left   []string
	end    error
	atEnd  func()
	closed bool
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		if p.atEnd != nil {
			p.atEnd()
		}
		return 0, p.end
	}
	n := copy(b, p.left[0])
	if p.left[0] = p.left[0][n:]; p.left[0] == "" {
		p.left = p.left[1:]
	}
	return n, nil
}

func (p *pieces) Close() error {
	p.closed = true
	return nil
}

func split(s string) *pieces {
	return &pieces{end: io.EOF, left: strings.SplitAfter(s, "|")}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// html is a response that may be rewritten.
func html(body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: 200, ContentLength: -1, Body: body, Header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}}}
}

// ask sends a request through the layer to an upstream that answers resp.
func ask(t *testing.T, cfg rewrite.Config, method string, resp *http.Response) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://upstream/", nil)
	require.NoError(t, err)
	got, err := rewrite.New(cfg)(roundTripper(func(*http.Request) (*http.Response, error) { return resp, nil })).RoundTrip(req)
	require.NoError(t, err)
	return got
}

func all(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(iotest.OneByteReader(resp.Body))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(body)
}

// internal is what most tests replace.
func internal(most int) rewrite.Config {
	return rewrite.Config{Body: []rewrite.Replacement{{Find: "internal", With: "example"}}, MaxBuffer: most, Types: []string{"Text/*", "application/json"}}
}
