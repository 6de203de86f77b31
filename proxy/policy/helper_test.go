package policy_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// base is the bottom of the stack: it gives the scripted results in turn, the
// last one for ever, and records the attempts.
type base struct {
	results  []func(*http.Request) (*http.Response, error)
	attempts []*transport.Attempt
}

func (b *base) RoundTrip(req *http.Request) (*http.Response, error) {
	a := transport.AttemptFrom(req.Context())
	if x := transport.ExchangeFrom(req.Context()); x != nil {
		x.Add(a)
	}
	a.Endpoint = "endpoint:1"
	result := b.results[min(len(b.attempts), len(b.results)-1)]
	b.attempts = append(b.attempts, a)
	if req.Body != nil {
		defer req.Body.Close()
	}
	resp, err := result(req)
	return transport.Settle(a, resp, err)
}

func (b *base) reasons() []string {
	reasons := []string{}
	for _, a := range b.attempts[1:] {
		reasons = append(reasons, a.Reason)
	}
	return reasons
}

// fails gives an error of the upstream's, edited.
func fails(edit func(*transport.Error)) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		e := &transport.Error{Source: transport.SourceUpstream, Phase: transport.PhaseHeaders, Sent: true, Endpoint: "endpoint:1", Err: transport.ErrUpstreamClosed}
		edit(e)
		return nil, e
	}
}

func answers(status int, body string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func refused(e *transport.Error) {
	e.Phase, e.Sent, e.Unprocessed, e.Err = transport.PhaseDial, false, true, transport.ErrConnect
}

func reused(e *transport.Error)   { e.Reused = true }
func fresh(*transport.Error)      {}
func lateHead(e *transport.Error) { e.Timeout, e.Err = true, transport.ErrHeaderTimeout }
func lateHeadReused(e *transport.Error) {
	lateHead(e)
	e.Reused = true
}

func lateConnect(e *transport.Error) {
	refused(e)
	e.Timeout, e.Err = true, transport.ErrConnectTimeout
}

func fullPool(e *transport.Error) {
	refused(e)
	e.Source, e.Phase, e.Timeout, e.Err = transport.SourceProxy, transport.PhaseQueue, true, transport.ErrPoolTimeout
}

func clientGone(e *transport.Error) {
	e.Source, e.Reused, e.Err = transport.SourceClient, true, transport.ErrClientGone
}

// stack is the whole stack over b.
func stack(cfg policy.Config, b *base) http.RoundTripper {
	return policy.Compose(policy.Stack(cfg), b)
}

func request(t testing.TB, method string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://upstream/", body)
	require.NoError(t, err)
	return req
}

func failure(t testing.TB, err error) *transport.Error {
	t.Helper()
	e, ok := errors.AsType[*transport.Error](err)
	require.True(t, ok, "%v", err)
	return e
}
