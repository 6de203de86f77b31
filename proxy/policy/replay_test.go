package policy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
)

// clientBody is a client's body that counts its closes and interrupts.
type clientBody struct {
	io.Reader
	closes, interrupts atomic.Int32
}

func (b *clientBody) Close() error { b.closes.Add(1); return nil }
func (b *clientBody) Interrupt()   { b.interrupts.Add(1) }

// reads takes n bytes of the body (all for -1) and then gives result.
func reads(n int, got *[]string, result func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		var body []byte
		var err error
		if n < 0 {
			body, err = io.ReadAll(req.Body)
		} else {
			body = make([]byte, n)
			_, err = io.ReadFull(req.Body, body)
		}
		if err != nil {
			return nil, err
		}
		*got = append(*got, string(body))
		return result(req)
	}
}

// re-body-empty-replay: the second try sends exactly the client's body,
// however much of it the first had taken, up to the limit.
func TestReplayIsExact(t *testing.T) {
	for _, size := range []int{1, 4 << 10, 64 << 10, 1 << 20} {
		whole := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		for _, taken := range []int{0, 1, size / 2, size, -1} {
			for _, limit := range []int{0, 16} {
				t.Run(fmt.Sprint(size, taken, limit), func(t *testing.T) {
					var got []string
					b := &base{results: []func(*http.Request) (*http.Response, error){
						reads(taken, &got, fails(reused)), reads(-1, &got, answers(200, "")),
					}}
					body := &clientBody{Reader: strings.NewReader(whole)}
					rt := stack(policy.Config{Retry: policy.Retry{ReplayBytes: limit}}, b)
					resp, err := rt.RoundTrip(request(t, http.MethodPut, body))
					read := taken
					if taken < 0 {
						read = size
					}
					keeps := limit
					if limit == 0 {
						keeps = 64 << 10
					}
					if read > keeps {
						require.ErrorIs(t, failure(t, err), transport.ErrUpstreamClosed)
						require.Len(t, got, 1, "a body that is not whole any more is not sent again")
					} else {
						require.NoError(t, err)
						require.NoError(t, resp.Body.Close())
						require.Equal(t, whole, got[1])
					}
					require.Equal(t, int32(1), body.closes.Load())
				})
			}
		}
	}
}

// Whatever the sizes of reads and limit: every try that is made sees a prefix
// of the body, in order, from its first byte.
func TestReplayProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		whole := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(rt, "body")
		limit := rapid.IntRange(1, 400).Draw(rt, "limit")
		block := rapid.IntRange(1, 64).Draw(rt, "block")
		takes := rapid.SliceOfN(rapid.IntRange(0, len(whole)), 1, 4).Draw(rt, "takes")
		tries := 0
		b := &base{results: []func(*http.Request) (*http.Response, error){func(req *http.Request) (*http.Response, error) {
			take := len(whole)
			if tries < len(takes) {
				take = takes[tries]
			}
			tries++
			var got []byte
			p := make([]byte, block)
			for len(got) < take {
				n, err := req.Body.Read(p[:min(block, take-len(got))])
				got = append(got, p[:n]...)
				if err != nil {
					break
				}
			}
			if !bytes.Equal(whole[:take], got) {
				rt.Fatalf("try %d read %q of %q", tries, got, whole)
			}
			return fails(reused)(req)
		}}}
		stacked := stack(policy.Config{Retry: policy.Retry{Retries: 4, ReplayBytes: limit, Random: func() float64 { return 0 }}}, b)
		_, err := stacked.RoundTrip(request(t, http.MethodPut, &clientBody{Reader: bytes.NewReader(whole)}))
		if err == nil {
			rt.Fatal("no try succeeds")
		}
		most := 0
		for _, take := range takes[:min(len(takes), tries)-1] {
			most = max(most, take)
		}
		if tries > 1 && most > limit {
			rt.Fatalf("tried again after %d bytes with a limit of %d", most, limit)
		}
	})
}

// A client body that failed, or was interrupted while the client was slow, is
// not sent again.
func TestBrokenClientBodyIsNotRetried(t *testing.T) {
	broken := errors.New("broken")
	b := &base{results: []func(*http.Request) (*http.Response, error){func(req *http.Request) (*http.Response, error) {
		_, _ = io.ReadAll(req.Body)
		return fails(reused)(req)
	}}}
	body := &clientBody{Reader: io.MultiReader(strings.NewReader("hello"), failing{broken})}
	_, err := stack(policy.Config{}, b).RoundTrip(request(t, http.MethodPut, body))
	require.Error(t, err)
	require.Len(t, b.attempts, 1)

	b = &base{results: []func(*http.Request) (*http.Response, error){func(req *http.Request) (*http.Response, error) {
		req.Body.(transport.Interrupter).Interrupt()
		return fails(reused)(req)
	}}}
	body = &clientBody{Reader: strings.NewReader("hello")}
	_, err = stack(policy.Config{}, b).RoundTrip(request(t, http.MethodPut, body))
	require.Error(t, err)
	require.Len(t, b.attempts, 1)
	require.Equal(t, int32(1), body.interrupts.Load())
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestNoBodyStaysNoBody(t *testing.T) {
	for _, none := range []io.ReadCloser{nil, http.NoBody} {
		b := &base{results: []func(*http.Request) (*http.Response, error){func(req *http.Request) (*http.Response, error) {
			require.Equal(t, none, req.Body)
			return answers(200, "")(req)
		}}}
		req := request(t, http.MethodPost, nil)
		req.Body = none
		resp, err := stack(policy.Config{}, b).RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
}
