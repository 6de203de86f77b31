package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/transport/rawtest"
)

var errLookup = errors.New("no such luck")

// zone is a resolver of one name and what stands behind its addresses.
type zone struct {
	sync.Mutex
	addrs   []string // nil: lookups fail
	lookups int
	reports []transport.Lookup
	dialled []string         // in order
	down    map[string]error // instead of a connection; nil error: a black hole
	serve   func(addr string) func(*far)
	wg      sync.WaitGroup
}

func (z *zone) answer(addrs ...string) {
	z.Lock()
	z.addrs = addrs
	z.Unlock()
}

func (z *zone) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	z.Lock()
	defer z.Unlock()
	z.lookups++
	if host != "api.internal" || z.addrs == nil {
		return nil, errLookup
	}
	var list []netip.Addr
	for _, a := range z.addrs {
		list = append(list, netip.MustParseAddr(a))
	}
	return list, nil
}

func (z *zone) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	z.Lock()
	z.dialled = append(z.dialled, addr)
	err, down := z.down[addr]
	z.Unlock()
	if down && err == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if down {
		return nil, err
	}
	near, there := net.Pipe()
	z.wg.Go(func() {
		defer there.Close()
		z.serve(addr)(newFar(there))
	})
	return near, nil
}

// dials gives the addresses dialled since it was last asked.
func (z *zone) dials() []string {
	z.Lock()
	defer z.Unlock()
	list := z.dialled
	z.dialled = nil
	return list
}

// named runs f in simulated time with a pool whose endpoint is a name.
func named(t *testing.T, z *zone, f func(t *testing.T, p *transport.Pool), edit ...func(*transport.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if z.serve == nil {
			z.serve = func(string) func(*far) { return func(f *far) { f.answers(ok) } }
		}
		t.Cleanup(z.wg.Wait)
		f(t, newPool(t, "api.internal:80", append([]func(*transport.Config){func(c *transport.Config) {
			c.Dial = z.dial
			c.DNS = transport.DNS{Refresh: 30 * time.Second, Lookup: z.lookup, Report: func(l transport.Lookup) {
				z.Lock()
				z.reports = append(z.reports, l)
				z.Unlock()
			}}
		}}, edit...)...))
	})
}

func open(t *testing.T, p *transport.Pool) *http.Response {
	t.Helper()
	resp, _, err := try(p, request(t, http.MethodGet, "/", nil))
	require.NoError(t, err)
	return resp
}

// New connections go to the addresses in turn; one that an answer no longer
// has loses its idle connections at once, those in use after use.
func TestAddressesInTurnAndRetired(t *testing.T) {
	z := &zone{addrs: []string{"10.0.0.2", "10.0.0.1", "::ffff:10.0.0.1", "fd00::1"}}
	named(t, z, func(t *testing.T, p *transport.Pool) {
		var held []*http.Response
		for range 6 {
			held = append(held, open(t, p))
		}
		require.Equal(t, []string{"10.0.0.1:80", "10.0.0.2:80", "[fd00::1]:80", "10.0.0.1:80", "10.0.0.2:80", "[fd00::1]:80"}, z.dials())
		for _, resp := range held[:3] {
			require.NoError(t, resp.Body.Close())
		}
		require.Equal(t, transport.Stats{Idle: 3, Leased: 3, Dialed: 6}, p.Stats())
		z.answer("10.0.0.2", "10.0.0.3")
		time.Sleep(30*time.Second - time.Nanosecond)
		require.Equal(t, 3, p.Stats().Idle)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, transport.Stats{Idle: 1, Leased: 3, Dialed: 6}, p.Stats(), "only that to .2 is left")
		for _, resp := range held[3:] {
			require.NoError(t, resp.Body.Close())
		}
		require.Equal(t, transport.Stats{Idle: 2, Dialed: 6}, p.Stats())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, transport.Stats{Idle: 2, Dialed: 6}, p.Stats(), "the same answer changes nothing")
		require.Equal(t, 4, z.lookups)
	})
	require.Equal(t, []bool{true, true, false, false}, []bool{z.reports[0].News, z.reports[1].News, z.reports[2].News, z.reports[3].News})
}

// A failed lookup keeps the last answer, and is tried again soon.
func TestLookupFails(t *testing.T) {
	z := &zone{addrs: []string{"10.0.0.1"}}
	named(t, z, func(t *testing.T, p *transport.Pool) {
		get(t, p, "/")
		z.answer()
		time.Sleep(32 * time.Second)
		synctest.Wait()
		require.Equal(t, 4, z.lookups, "at 0, 30, 31 and 32 s")
		_, a := get(t, p, "/")
		require.True(t, a.Reused)
		p.Purge()
		_, a = get(t, p, "/")
		require.False(t, a.Reused)
		z.answer("10.0.0.9")
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, p.Stats().Idle)
		z.dials()
		get(t, p, "/")
		require.Equal(t, []string{"10.0.0.9:80"}, z.dials())
	})
	news := []bool{}
	for i, l := range z.reports {
		news = append(news, l.News)
		require.Equal(t, i > 0 && i < 4, l.Err != nil, i)
		require.NotEmpty(t, l.Addresses)
	}
	require.Equal(t, []bool{true, true, false, false, true}, news)
}

// Without any answer attempts fail at once, with the reason.
func TestNameWithoutAddress(t *testing.T) {
	for name, c := range map[string]struct {
		addrs []string
		want  error
	}{"failure": {nil, errLookup}, "empty": {[]string{}, transport.ErrNoAddress}} {
		t.Run(name, func(t *testing.T) {
			z := &zone{addrs: c.addrs}
			named(t, z, func(t *testing.T, p *transport.Pool) {
				started := time.Now()
				_, _, err := try(p, request(t, http.MethodGet, "/", nil))
				e := failed(t, err)
				require.ErrorIs(t, e, c.want)
				require.ErrorIs(t, e, transport.ErrConnect)
				require.Equal(t, transport.PhaseDial, e.Phase)
				require.True(t, e.Unprocessed)
				require.Zero(t, time.Since(started))
				z.answer("10.0.0.1")
				time.Sleep(time.Second)
				synctest.Wait()
				get(t, p, "/")
			})
		})
	}
}

// A dial goes on to the next address within the connect timeout, and later
// ones leave those that failed for last.
func TestNextAddress(t *testing.T) {
	for name, c := range map[string]struct {
		down map[string]error
		took time.Duration
	}{
		"refused":    {map[string]error{"10.0.0.1:80": syscall.ECONNREFUSED}, 0},
		"black hole": {map[string]error{"10.0.0.1:80": nil}, bound / 3},
	} {
		t.Run(name, func(t *testing.T) {
			z := &zone{addrs: []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, down: c.down}
			named(t, z, func(t *testing.T, p *transport.Pool) {
				started := time.Now()
				get(t, p, "/")
				require.Equal(t, c.took, time.Since(started))
				require.Equal(t, []string{"10.0.0.1:80", "10.0.0.2:80"}, z.dials())
				started = time.Now()
				for range 3 {
					p.Purge()
					get(t, p, "/")
				}
				require.Zero(t, time.Since(started))
				require.False(t, slices.Contains(z.dials(), "10.0.0.1:80"))
			})
		})
	}
	z := &zone{addrs: []string{"10.0.0.1", "10.0.0.2"}, down: map[string]error{"10.0.0.1:80": nil, "10.0.0.2:80": nil}}
	named(t, z, func(t *testing.T, p *transport.Pool) {
		started := time.Now()
		_, _, err := try(p, request(t, http.MethodGet, "/", nil))
		require.ErrorIs(t, failed(t, err), transport.ErrConnectTimeout)
		require.Equal(t, bound, time.Since(started), "no longer than one dial may take")
	})
}

// HTTP/2 connections to an address that is gone finish what they carry.
func TestMuxAddressRetired(t *testing.T) {
	z := &zone{addrs: []string{"10.0.0.1"}}
	var answer chan struct{}
	z.serve = func(string) func(*far) {
		return func(f *far) {
			f.h2(func(h *rawtest.H2) {
				for {
					id, path := h.Request()
					if id == 0 {
						return
					}
					if path == "/hold" {
						<-answer
					}
					h.Answer(id, path)
				}
			})
		}
	}
	named(t, z, func(t *testing.T, p *transport.Pool) {
		answer = make(chan struct{})
		req, done := request(t, http.MethodGet, "/hold", nil), make(chan *http.Response, 1)
		go func() {
			resp, _, _ := try(p, req)
			done <- resp
		}()
		synctest.Wait()
		z.answer("10.0.0.2")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Leased)
		get(t, p, "/")
		require.Equal(t, []string{"10.0.0.1:80", "10.0.0.2:80"}, z.dials())
		close(answer)
		resp := <-done
		require.NotNil(t, resp)
		require.NoError(t, resp.Body.Close())
		synctest.Wait()
		require.Equal(t, transport.Stats{Idle: 1, Dialed: 2}, p.Stats())
		z.answer("10.0.0.3")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		require.Zero(t, p.Stats().Idle)
	}, func(c *transport.Config) { c.Protocol, c.Timeouts = transport.HTTP2, transport.Timeouts{} })
}

// An address is dialled as it stands.
func TestAddressesAreNotLookedUp(t *testing.T) {
	for _, endpoint := range []string{"10.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80"} {
		z := &zone{}
		named(t, z, func(t *testing.T, p *transport.Pool) {
			get(t, p, "/")
			time.Sleep(time.Minute)
			require.Equal(t, []string{endpoint}, z.dials())
			require.Zero(t, z.lookups)
		}, func(c *transport.Config) { c.Endpoint = endpoint })
	}
}

// A pool that closes ends its lookup and the dials that wait for it.
func TestLookupEndsWithThePool(t *testing.T) {
	z := &zone{}
	named(t, z, func(t *testing.T, p *transport.Pool) {
		req, failure := request(t, http.MethodGet, "/", nil), make(chan error, 1)
		go func() {
			_, _, err := try(p, req)
			failure <- err
		}()
		synctest.Wait()
		require.Equal(t, transport.Stats{Dialing: 1}, p.Stats())
		require.NoError(t, p.Close())
		require.ErrorIs(t, failed(t, <-failure), transport.ErrPoolClosed)
	}, func(c *transport.Config) {
		c.DNS.Lookup = func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	require.Empty(t, z.reports)
}
