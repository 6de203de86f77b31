package limit_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/policy/limit"
	"gauntlet/proxy/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a limiter over an upstream that answers at once with a body which the
// test ends.
type rig struct {
	t *testing.T
	*limit.Limiter
	rt   http.RoundTripper
	fail error

	mu     sync.Mutex
	events []string
	served []string // paths, in order
}

func newRig(t *testing.T, cfg limit.Config) *rig {
	r := &rig{t: t}
	cfg.Upstream = "api"
	cfg.Event = func(_ context.Context, name string, attrs ...slog.Attr) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, a := range attrs {
			name += " " + a.Value.String()
		}
		r.events = append(r.events, name)
	}
	r.Limiter = limit.New(cfg)
	r.rt = r.Wrap(r)
	return r
}

func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.served = append(r.served, req.URL.Path)
	r.mu.Unlock()
	if r.fail != nil {
		return nil, r.fail
	}
	a := &transport.Attempt{Number: 1}
	transport.ExchangeFrom(req.Context()).Add(a)
	return transport.Settle(a, &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("body"))}, nil)
}

// ask makes one exchange up to its response head.
func (r *rig) ask(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(transport.WithExchange(ctx, &transport.Exchange{}), http.MethodGet, "http://upstream"+path, nil)
	require.NoError(r.t, err)
	return r.rt.RoundTrip(req)
}

func (r *rig) hold(path string) *http.Response {
	resp, err := r.ask(r.t.Context(), path)
	require.NoError(r.t, err)
	return resp
}

// later asks in a goroutine of its own, which stands in the queue or is done
// when later returns.
func (r *rig) later(ctx context.Context, path string) <-chan error {
	done := make(chan error, 1)
	go func() {
		resp, err := r.ask(ctx, path)
		if err == nil {
			err = resp.Body.Close()
		}
		done <- err
	}()
	synctest.Wait()
	return done
}

// A place is taken until the body has ended, not only until the head is there.
func TestAPlaceLastsAsLongAsTheBody(t *testing.T) {
	for name, end := range map[string]func(*http.Response) error{
		"read":   func(resp *http.Response) error { _, err := io.ReadAll(resp.Body); return err },
		"closed": func(resp *http.Response) error { return resp.Body.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, limit.Config{Concurrent: 2, Wait: time.Second})
			first, second := r.hold("/"), r.hold("/")
			require.Equal(t, limit.Stats{InUse: 2}, r.Stats())
			_, err := r.ask(t.Context(), "/")
			e, ok := errors.AsType[*transport.Error](err)
			require.True(t, ok)
			require.ErrorIs(t, e, limit.ErrFull)
			require.True(t, e.Unprocessed)
			require.Equal(t, transport.SourceProxy, e.Source)
			require.NoError(t, end(first))
			require.NoError(t, end(r.hold("/")))
			require.NoError(t, end(second))
			require.Zero(t, r.Stats())
			require.Equal(t, []string{"limit.rejected api full"}, r.events)
		})
	}
}

func TestAFailedExchangeFreesItsPlace(t *testing.T) {
	r := newRig(t, limit.Config{Concurrent: 1, Wait: time.Second})
	r.fail = &transport.Error{Err: transport.ErrConnect}
	for range 3 {
		_, err := r.ask(t.Context(), "/")
		require.ErrorIs(t, err, transport.ErrConnect)
	}
	require.Zero(t, r.Stats())
}

// First come, first served; nobody overtakes those who wait.
func TestTheQueueIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, limit.Config{Concurrent: 1, Wait: time.Minute, Queue: 3})
		resp := r.hold("/0")
		first, second, third := r.later(t.Context(), "/1"), r.later(t.Context(), "/2"), r.later(t.Context(), "/3")
		require.Equal(t, limit.Stats{InUse: 1, Waiting: 3}, r.Stats())
		require.ErrorIs(t, <-r.later(t.Context(), "/4"), limit.ErrFull)
		require.NoError(t, resp.Body.Close())
		for _, done := range []<-chan error{first, second, third} {
			require.NoError(t, <-done)
		}
		require.Equal(t, []string{"/0", "/1", "/2", "/3"}, r.served)
		require.Zero(t, r.Stats())
	})
}

func TestTheWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, limit.Config{Concurrent: 1, Wait: time.Second, Queue: 3})
		resp := r.hold("/")
		began := time.Now()
		err := <-r.later(t.Context(), "/late")
		require.ErrorIs(t, err, limit.ErrTimeout)
		require.Equal(t, time.Second, time.Since(began))
		require.Equal(t, []string{"limit.queued api", "limit.rejected api timeout"}, r.events)
		require.Equal(t, limit.Stats{InUse: 1}, r.Stats())
		require.NoError(t, resp.Body.Close())
		require.Equal(t, []string{"/"}, r.served, "what was turned away never ran")
	})
}

// A client that leaves the queue makes room for another and keeps nobody
// waiting behind it.
func TestAClientLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, limit.Config{Concurrent: 1, Wait: time.Minute, Queue: 2})
		resp := r.hold("/0")
		ctx, leave := context.WithCancel(t.Context())
		gone, next := r.later(ctx, "/gone"), r.later(t.Context(), "/next")
		leave()
		require.ErrorIs(t, <-gone, transport.ErrClientGone)
		require.Equal(t, limit.Stats{InUse: 1, Waiting: 1}, r.Stats())
		last := r.later(t.Context(), "/last")
		require.NoError(t, resp.Body.Close())
		require.NoError(t, <-next)
		require.NoError(t, <-last)
		require.Equal(t, []string{"/0", "/next", "/last"}, r.served)
		require.Zero(t, r.Stats())
	})
}

// Whatever meets whatever, never are more under way than allowed, and in the
// end every place is free again.
func TestPlacesAreNeitherLostNorInvented(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const places = 3
		r := newRig(t, limit.Config{Concurrent: places, Wait: 3 * time.Millisecond, Queue: 8})
		var under atomic.Int64
		var most atomic.Int64
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				time.Sleep(time.Duration(i/7) * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%5+1)*time.Millisecond)
				defer cancel()
				resp, err := r.ask(ctx, "/")
				if err != nil {
					return
				}
				n := under.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				time.Sleep(time.Duration(i%4) * time.Millisecond)
				under.Add(-1)
				_ = resp.Body.Close()
			})
		}
		wg.Wait()
		require.Equal(t, int64(places), most.Load())
		require.Zero(t, r.Stats())
	})
}
