package upstream_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/policy"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
)

// bubble is an upstream without sockets, for tests in fake time: what each
// endpoint answers stands in a table.
type bubble struct {
	*upstream.Upstream
	t *testing.T

	mu      sync.Mutex
	answers map[string]func() (int, error)
	sick    map[string]bool
	served  map[string]int
	purged  map[string]int
	changes []string
	events  events
}

// fake is the transport of one endpoint.
type fake struct {
	b    *bubble
	addr string
}

func (f fake) RoundTrip(*http.Request) (*http.Response, error) {
	f.b.mu.Lock()
	f.b.served[f.addr]++
	answer := f.b.answers[f.addr]
	f.b.mu.Unlock()
	status := 200
	if answer != nil {
		var err error
		if status, err = answer(); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("x"))}, nil
}

func (f fake) Stats() transport.Stats { return transport.Stats{} }
func (f fake) Close() error           { return nil }
func (f fake) Purge() {
	f.b.mu.Lock()
	f.b.purged[f.addr]++
	f.b.mu.Unlock()
}

func newBubble(t *testing.T, edit func(*bubble, *upstream.Config), addrs ...string) *bubble {
	b := &bubble{t: t, answers: map[string]func() (int, error){}, sick: map[string]bool{}, served: map[string]int{}, purged: map[string]int{}}
	cfg := upstream.Config{Name: "api", Endpoints: list(addrs...), Retry: policy.Retry{Random: func() float64 { return 0 }}}
	edit(b, &cfg)
	u, err := upstream.New(cfg, upstream.Hooks{
		Transport: func(c transport.Config) transport.RoundTripper { return fake{b, c.Endpoint} },
		Event:     b.events.hook,
		Change: func(endpoint string, s upstream.State, _ error) {
			b.mu.Lock()
			b.changes = append(b.changes, endpoint+" "+s.String())
			b.mu.Unlock()
		},
	})
	require.NoError(t, err)
	b.Upstream = u
	return b
}

// ask makes n exchanges and gives how many each endpoint served of them.
func (b *bubble) ask(n int) map[string]int {
	b.t.Helper()
	b.mu.Lock()
	clear(b.served)
	b.mu.Unlock()
	for range n {
		_, _, _ = do(b.t, b.Upstream, http.MethodPost, "")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.served)
}

// changed is every change of state so far.
func (b *bubble) changed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.changes)
}

func (b *bubble) set(addr string, f func() (int, error)) {
	b.mu.Lock()
	b.answers[addr] = f
	b.mu.Unlock()
}

func says(status int) func() (int, error) { return func() (int, error) { return status, nil } }

func fails(e transport.Error, after time.Duration) func() (int, error) {
	return func() (int, error) {
		time.Sleep(after)
		return 0, &e
	}
}
