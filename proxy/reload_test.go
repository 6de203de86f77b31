package proxy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
	"gauntlet/proxy/edge/certs"
)

// with returns the settings of a running proxy, changed.
func (r *running) with(change func(*config.Config)) *config.Config {
	cfg := settings(r.endpoint)
	change(cfg)
	return cfg
}

// ask sends a GET on an open connection and returns the body of a 200.
func (w *wire) ask(path string) string {
	w.sendf("GET %s HTTP/1.1\nHost: x\n\n", path)
	resp, body := w.response("GET")
	require.Equal(w.t, 200, resp.StatusCode, body)
	return body
}

// extend gives a connection that is used for long its patience anew.
func (w *wire) extend() { _ = w.SetDeadline(time.Now().Add(patience)) }

// TestReloadSwapsTwelveThousandRoutes is requirement S1.11: routes change under
// load, no request is damaged, and none that begins after Reload has returned
// follows the old ones. How long a swap takes is BenchmarkReload's to say.
func TestReloadSwapsTwelveThousandRoutes(t *testing.T) {
	echo := func(name string) string {
		return answering(t, func(w *wire, r *http.Request, body string) {
			w.extend()
			text := name + r.URL.Path + body
			w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(text), text)
		})
	}
	ends := [2]string{echo("a"), echo("b")}
	tables := [2]*config.Config{}
	for i := range tables {
		cfg := settings(ends[0])
		cfg.Upstreams["other"] = config.DefaultUpstream(ends[1])
		cfg.Routes = nil
		for n := range 12_000 {
			cfg.Routes = append(cfg.Routes, config.Route{Path: fmt.Sprintf("/svc/%d/", n), Upstream: []string{"api", "other"}[(n+i)%2]})
		}
		tables[i] = cfg
	}
	r := start(t, ends[0], func(c *config.Config, _ *proxy.Parts) { *c = *tables[0].Clone() })

	var table atomic.Int64 // swaps begun and ended: even between swaps
	var stop atomic.Bool
	var served, certain atomic.Int64
	var clients sync.WaitGroup
	end := func() {
		stop.Store(true)
		clients.Wait()
	}
	defer end()
	for c := range 6 {
		cl := r.dial()
		clients.Go(func() {
			for n := c; !stop.Load(); n = (n + 61) % 12_000 {
				cl.extend()
				before := table.Load()
				path := fmt.Sprintf("/svc/%d/%d", n, before)
				cl.sendf("POST %s HTTP/1.1\nHost: x\nContent-Length: 4\n\nbody", path)
				_, body := cl.response("POST")
				after := table.Load()
				served.Add(1)
				who := func(swaps int64) string { return []string{"a", "b"}[(int64(n)+swaps)%2] + path + "body" }
				switch {
				case before == after && before%2 == 0: // nothing was swapped meanwhile
					certain.Add(1)
					if want := who(before / 2); body != want {
						t.Errorf("got %q, want %q", body, want)
					}
				case body != who(0) && body != who(1):
					t.Errorf("got %q for %s", body, path)
				}
			}
		})
	}
	var slowest time.Duration
	for i := range 5 {
		seen := served.Load()
		eventually(t, func() bool { return served.Load() > seen+50 }, "load")
		began := time.Now()
		table.Add(1)
		done, err := r.p.Reload(tables[(i+1)%2])
		table.Add(1)
		slowest = max(slowest, time.Since(began))
		require.NoError(t, err)
		require.Equal(t, []string{"api", "other"}, done.Kept)
		require.Equal(t, 12_000, done.Routes)
	}
	end()
	t.Logf("%d requests, %d of them between swaps; slowest swap %v", served.Load(), certain.Load(), slowest)
	require.Greater(t, certain.Load(), int64(150))
}

// TestReloadFinishesOnTheOld: what is under way when its upstream is taken out
// ends there, and only then is the upstream closed.
func TestReloadFinishesOnTheOld(t *testing.T) {
	asked, release, closed := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
	old := backend(t, func(w *wire) {
		if strings.HasPrefix(w.head(), "GET /tunnel") {
			w.send("HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: foo\n\n")
			w.expect("ping")
			w.send("pong")
			_, _ = w.rest()
			return
		}
		asked <- struct{}{}
		w.send("HTTP/1.1 200 OK\nContent-Length: 8\n\nhalf")
		w.await(release)
		w.send("half")
		w.eof()
		close(closed)
	})
	r := start(t, old)
	cl, tunnel, idle := r.dial(), r.dial(), r.dial()
	tunnel.send("GET /tunnel HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: foo\n\n")
	tunnel.head()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	take(t, asked)
	next := ok(t, "new")
	done, err := r.p.Reload(r.with(func(c *config.Config) {
		delete(c.Upstreams, "api")
		c.Upstreams["next"] = config.DefaultUpstream(next)
		c.Routes[0].Upstream = "next"
	}))
	require.NoError(t, err)
	require.Equal(t, proxy.Reloaded{
		Generation: 2, Kept: []string{}, Changed: []string{}, Added: []string{"next"}, Removed: []string{"api"}, RoutesBefore: 1, Routes: 1,
	}, done)
	require.Equal(t, "new", idle.ask("/"), "a connection from before, a route from now")
	_, metrics := r.get("/metrics")
	require.Contains(t, metrics, "gauntlet_config_generations_in_use 2\n")
	require.Contains(t, metrics, fmt.Sprintf(`gauntlet_pool_connections{endpoint=%q,state="leased",upstream="api"} 2`, old))

	tunnel.send("ping")
	tunnel.expect("pong")
	close(release)
	_, body := cl.response("GET")
	require.Equal(t, "halfhalf", body)
	require.Equal(t, "new", cl.ask("/"), "the same connection goes on")
	require.NoError(t, tunnel.Close())
	take(t, closed)
	eventually(t, func() bool {
		_, metrics = r.get("/metrics")
		return strings.Contains(metrics, "gauntlet_config_generations_in_use 1\n")
	}, "the old generation ends with its last exchange")
	require.NotContains(t, metrics, `state="leased",upstream="api"`)
	require.Len(t, r.p.Pools().Endpoints, 1)
}

// TestReloadKeepsWhatHasNotChanged: connections and breakers of an upstream
// live on when nothing about it has changed, and its counters never fall.
func TestReloadKeepsWhatHasNotChanged(t *testing.T) {
	end := answering(t, func(w *wire, r *http.Request, _ string) {
		text := fmt.Sprint(w.n)
		w.sendf("HTTP/1.1 200 OK\nContent-Length: %d\n\n%s", len(text), text)
	})
	r := start(t, end)
	cl := r.dial()
	require.Equal(t, "1", cl.ask("/"))
	done, err := r.p.Reload(r.with(func(c *config.Config) { c.Routes[0].Path = "/v1" }))
	require.NoError(t, err)
	require.Equal(t, []string{"api"}, done.Kept)
	require.Equal(t, "1", cl.ask("/v1"), "the pooled connection")
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	resp, _ := cl.response("GET")
	require.Equal(t, 404, resp.StatusCode)

	done, err = r.p.Reload(r.with(func(c *config.Config) { c.Upstreams["api"].Pool.MaxIdle = 3 }))
	require.NoError(t, err)
	require.Equal(t, []string{"api"}, done.Changed)
	require.Equal(t, "2", cl.ask("/"), "a pool of its own")
	require.Equal(t, uint64(2), r.p.Pools().Endpoints[0].Dialed, "the dial of the pool that was closed counts, too")
}

// TestReloadOfAFallback: an upstream is built anew together with its fallback,
// so that an exchange which began before may still be led to the old one.
func TestReloadOfAFallback(t *testing.T) {
	old, next := ok(t, "old"), ok(t, "new")
	asked, release := make(chan struct{}), make(chan struct{})
	r := start(t, backend(t, func(w *wire) { // fails its first try when it is told to
		w.head()
		close(asked)
		w.await(release)
		w.reset()
	}))
	with := func(fallback string) *config.Config {
		return r.with(func(c *config.Config) {
			api := c.Upstreams["api"]
			api.Fallback, api.Retries = "spare", 1
			api.Breaker.Enabled, api.Breaker.MinFailures, api.Breaker.FailureRate = true, 1, 0.1
			c.Upstreams["spare"] = config.DefaultUpstream(fallback)
			c.Upstreams["other"] = config.DefaultUpstream(next)
		})
	}
	_, err := r.p.Reload(with(old))
	require.NoError(t, err)
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	take(t, asked)
	done, err := r.p.Reload(with(next))
	require.NoError(t, err)
	require.Equal(t, []string{"api", "spare"}, done.Changed)
	require.Equal(t, []string{"other"}, done.Kept)
	close(release)
	_, body := cl.response("GET")
	require.Equal(t, "old", body, "the fallback of when the exchange began")
	done, err = r.p.Reload(with(next))
	require.NoError(t, err)
	require.Equal(t, []string{"api", "other", "spare"}, done.Kept)
}

// TestReloadForgetsWhatIsLongGone: endpoints that come and go do not add up in
// the metrics, and one that is in use is not forgotten however old it is.
func TestReloadForgetsWhatIsLongGone(t *testing.T) {
	r := start(t, ok(t, "ok"))
	require.Equal(t, "ok", r.dial().ask("/"))
	stays := ok(t, "ok")
	with := func(endpoint string) *config.Config {
		cfg := settings(endpoint)
		cfg.Upstreams["stays"] = config.DefaultUpstream(stays)
		cfg.Routes = append(cfg.Routes, config.Route{Path: "/stays", Upstream: "stays"})
		return cfg
	}
	cfg := with("127.0.0.1:1")
	_, err := r.p.Reload(cfg)
	require.NoError(t, err)
	require.Equal(t, "ok", r.dial().ask("/stays"))
	cfg.Upstreams["stays"].Retries = 3 // closes its pool, and opens another
	_, err = r.p.Reload(cfg)
	require.NoError(t, err)
	attempts := func(upstream, endpoint string) bool {
		_, metrics := r.get("/metrics")
		return strings.Contains(metrics, fmt.Sprintf("gauntlet_upstream_attempts_total{endpoint=%q,outcome=\"2xx\",upstream=%q}", endpoint, upstream))
	}
	for i := range 1100 {
		if i == 1000 {
			require.True(t, attempts("api", r.endpoint), "gone, but not long")
		}
		cfg.Upstreams["api"].Endpoints[0].Address = fmt.Sprintf("127.0.0.1:%d", 2+i)
		_, err := r.p.Reload(cfg)
		require.NoError(t, err)
	}
	require.False(t, attempts("api", r.endpoint))
	require.True(t, attempts("stays", stays))
	for _, e := range r.p.Pools().Endpoints {
		if e.Upstream == "stays" {
			require.Equal(t, uint64(1), e.Dialed)
		}
	}
}

// TestReloadRefuses: the old configuration stays, every reason is given, and
// the metrics and the log tell.
func TestReloadRefuses(t *testing.T) {
	r := start(t, ok(t, "ok"))
	cl := r.dial()
	_, err := r.p.Reload(r.with(func(c *config.Config) {
		c.Listen, c.Admin, c.Limits.IdleTimeout, c.Telemetry.Sample = "127.0.0.1:1", "off", time.Second, 0.5
		c.Limits.BodyTimeout, c.Drain.Announce = time.Second, time.Second // these may
	}))
	require.ErrorIs(t, err, config.ErrInvalid)
	const why = ": it cannot change while the proxy runs; restart or upgrade it\n"
	require.Equal(t, `listen: got "127.0.0.1:1", want "127.0.0.1:0"`+why+`admin: got "off", want "127.0.0.1:0"`+why+
		`limits.idle_timeout: got 1s, want 1m15s`+why+`telemetry.sample: got 0.5, want 1`+why, err.Error()+"\n")
	require.Equal(t, "ok", cl.ask("/"))
	_, err = r.p.Reload(r.with(func(c *config.Config) { c.Routes[0].Upstream = "nobody" }))
	require.EqualError(t, err, `routes[0].upstream: got "nobody", want the name of an upstream (api)`)
	_, metrics := r.get("/metrics")
	require.Contains(t, metrics, "gauntlet_config_last_reload_successful 0\n")
	require.Contains(t, metrics, `gauntlet_config_reloads_total{outcome="refused"} 2`)
	_, err = r.p.Reload(r.with(func(c *config.Config) { c.Limits.BodyTimeout, c.Drain.Timeout = time.Second, time.Second }))
	require.NoError(t, err)
	_, metrics = r.get("/metrics")
	require.Contains(t, metrics, "gauntlet_config_last_reload_successful 1\n")
	require.Contains(t, metrics, "gauntlet_config_generation 2\n")
	require.Contains(t, metrics, `gauntlet_config_reloads_total{outcome="accepted"} 1`)
	code, _ := r.post("/reload")
	require.Equal(t, 404, code, "nothing to read again")
	_, err = r.p.Reread()
	require.ErrorIs(t, err, proxy.ErrNoSource)
}

// TestReloadTakesACopy: whoever keeps the configuration may change it.
func TestReloadTakesACopy(t *testing.T) {
	r := start(t, ok(t, "old"))
	next := ok(t, "new")
	cl := r.dial()
	cfg := settings(next)
	_, err := r.p.Reload(cfg)
	require.NoError(t, err)
	require.Equal(t, "new", cl.ask("/"))
	cfg.Upstreams["api"].Endpoints[0].Address = r.endpoint
	done, err := r.p.Reload(cfg)
	require.NoError(t, err)
	require.Equal(t, []string{"api"}, done.Changed)
	require.Equal(t, "old", cl.ask("/"))
}

// TestReloadByTheAdminListener reads the source and answers with what came of
// it.
func TestReloadByTheAdminListener(t *testing.T) {
	next := ok(t, "new")
	var source func() (*config.Config, error)
	r := start(t, ok(t, "old"), func(_ *config.Config, p *proxy.Parts) {
		p.Source = func() (*config.Config, error) { return source() }
	})
	cl := r.dial()
	require.Equal(t, "old", cl.ask("/"))
	report := func(want int) proxy.ReloadReport {
		code, body := r.post("/reload")
		require.Equal(t, want, code, body)
		var report proxy.ReloadReport
		require.NoError(t, json.Unmarshal([]byte(body), &report))
		require.Equal(t, want == 200, report.OK)
		return report
	}
	source = func() (*config.Config, error) { return config.Parse("p.yaml", []byte("listen: x\n")) }
	require.Equal(t, config.Problem{File: "p.yaml", Line: 1, Column: 1, Path: "listen", Got: `"x"`, Want: "host:port with a port from 0 to 65535"}, report(422).Problems[0])
	source = func() (*config.Config, error) { return nil, errors.New("no disk") }
	require.Equal(t, "no disk", report(422).Error)
	require.Equal(t, "old", cl.ask("/"))
	source = func() (*config.Config, error) { return settings(next), nil }
	require.Equal(t, []string{"api"}, report(200).Reloaded.Changed)
	require.Equal(t, "new", cl.ask("/"))
	code, _ := r.post("/reload", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, 403, code, "a page in somebody's browser")

	require.NoError(t, cl.Close())
	r.stop()
	eventually(t, func() bool { return r.p.Pools().Draining }, "draining")
	_, err := r.p.Reread()
	require.ErrorIs(t, err, proxy.ErrStopping)
	r.wait()
	_, err = r.p.Reload(settings(next))
	require.ErrorIs(t, err, proxy.ErrStopping)
}

// TestRereadRenewsCertificates, and refuses everything when one cannot be used.
func TestRereadRenewsCertificates(t *testing.T) {
	a := newCA(t)
	files := a.issue("a.example", time.Hour)
	var cfg *config.Config
	r := start(t, ok(t, "old"), speaking(files), func(c *config.Config, p *proxy.Parts) {
		c.TLS.Reload = 0 // nobody else looks at the files
		cfg = c
		p.Source = func() (*config.Config, error) { return cfg, nil }
	})
	ask := func() (serial, body string) {
		cl, conn := r.secure(a.trust("a.example"))
		defer cl.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String(), cl.ask("/")
	}
	first, _ := ask()
	a.issue("a.example", 2*time.Hour)
	_, err := r.p.Reread()
	require.NoError(t, err)
	second, _ := ask()
	require.NotEqual(t, first, second)

	cfg = cfg.Clone()
	cfg.Upstreams["api"].Endpoints[0].Address = ok(t, "new")
	good, err := os.ReadFile(files.Cert)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files.Cert, []byte("nothing"), 0o600))
	_, err = r.p.Reread()
	require.ErrorIs(t, err, certs.ErrUnusable)
	serial, body := ask()
	require.Equal(t, []string{second, "old"}, []string{serial, body})
	require.NoError(t, os.WriteFile(files.Cert, good, 0o600))
	_, err = r.p.Reread()
	require.NoError(t, err)
	_, body = ask()
	require.Equal(t, "new", body)
}

// TestReloadsAtOnce: several callers, exchanges meanwhile, and a stop into the
// middle; nothing is left over.
func TestReloadsAtOnce(t *testing.T) {
	ends := [2]string{ok(t, "ok"), ok(t, "ok")}
	r := start(t, ends[0])
	var wg sync.WaitGroup
	for c := range 4 {
		wg.Go(func() {
			for i := range 25 {
				if _, err := r.p.Reload(settings(ends[(c+i)%2])); err != nil {
					t.Error(err)
				}
			}
		})
		cl := r.dial()
		wg.Go(func() {
			for range 50 {
				cl.send("POST / HTTP/1.1\nHost: x\nContent-Length: 1\n\nx")
				if resp, body := cl.response("POST"); resp.StatusCode != 200 || body != "ok" {
					t.Errorf("%d %q", resp.StatusCode, body)
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, len(r.p.Pools().Endpoints), 1)
}
