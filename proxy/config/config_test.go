package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoadFull(t *testing.T) {
	cfg, err := config.Load("testdata/full.yaml")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8080", cfg.Listen)
	require.Equal(t, config.Drain{Announce: 500 * time.Millisecond, Timeout: 20 * time.Second}, cfg.Drain)
	require.Equal(t, config.Size(64<<10), cfg.Limits.HeaderBytes)
	require.Equal(t, config.TLS{
		Certificates: []config.Certificate{{Cert: "a.crt", Key: "a.key"}, {Cert: "b.crt", Key: "b.key"}},
		MinVersion:   "1.3", ClientCA: "ca.crt", ClientAuth: "require", SessionTickets: false,
		Reload: time.Minute, Handshakes: 64,
	}, cfg.TLS)
	require.Equal(t, config.HTTP2{Enabled: false, H2C: false, MaxConcurrentStreams: 100}, cfg.HTTP2)
	require.Equal(t, "https://127.0.0.1:4318", cfg.Telemetry.OTLP.Endpoint)
	require.Equal(t, "ca.pem", cfg.Telemetry.OTLP.CA)
	require.Equal(t, []string{"X-Request-Id"}, cfg.Telemetry.LogHeaders)
	api := cfg.Upstreams["api"]
	require.Equal(t, []config.Endpoint{{Address: "127.0.0.1:9001", Weight: 1}, {Address: "127.0.0.1:9002", Weight: 3}}, api.Endpoints)
	require.Equal(t, "weighted", api.Balance.Policy)
	require.Equal(t, config.StickyCookie{Name: "at", Path: "/", HTTPOnly: true, Secure: true, MaxAge: time.Hour}, api.Balance.Cookie)
	require.Equal(t, 2, api.Retries)
	require.Equal(t, config.Limit{Concurrent: 100, Wait: 500 * time.Millisecond, Queue: 10}, api.Limit)
	require.Equal(t, config.Hedge{After: 200 * time.Millisecond, Max: 2}, api.Hedge)
	require.Equal(t, config.Rewrite{
		Headers: config.RewriteHeaders{
			Set: map[string]string{"Server": "edge", "X-Frame-Options": "deny"}, Add: map[string]string{"Vary": "Origin"}, Remove: []string{"X-Powered-By"},
		},
		Body:      []config.Replacement{{Find: "http://api.internal", Replace: "https://api.example"}, {Find: "ä\n"}},
		MaxBuffer: 64 << 10, Types: []string{"text/html", "application/*"},
	}, api.Rewrite)
	require.Equal(t, 3*time.Second, api.Pool.Wait)
	require.Equal(t, 2, api.Pool.MinIdle)
	require.Equal(t, 10*time.Second, api.DNS.Refresh)
	require.Equal(t, [][2]int{{200, 299}, {404, 404}}, api.Health.Statuses())
	require.Equal(t, []string{"check", "now"}, api.Health.Command)
	require.Equal(t, config.Ejection{Enabled: true, Failures: 3, Slow: time.Second, For: 10 * time.Second, Decay: 0.5, DecayEvery: time.Minute, MaxPercent: 40}, api.Ejection)
	require.Equal(t, 20*time.Second, api.SlowStart)
	require.Equal(t, "plain", api.Fallback)
	require.InDelta(t, 0.5, api.Breaker.FailureRate, 0)
	require.Equal(t, 15*time.Second, api.Timeouts.Headers, "what the file leaves out keeps its default")
	require.Equal(t, config.DefaultUpstream("localhost:1"), cfg.Upstreams["plain"])
	require.Equal(t, []config.Route{
		{Host: "api.example", Path: "/v1/", Upstream: "api"},
		{
			Host: "api.example", Path: "/v1/", Methods: []string{"GET", "HEAD"},
			Headers: []config.Condition{{Name: "X-Canary", Value: "1"}}, Query: []config.Condition{{Name: "beta"}},
			Priority: 10, Upstreams: []config.Share{{Name: "api", Weight: 9}, {Name: "plain", Weight: 1}},
		},
		{Path: "/", Upstream: "plain"},
	}, cfg.Routes)
}

func TestPrintedConfigReadsBack(t *testing.T) {
	cfg, err := config.Load("testdata/full.yaml")
	require.NoError(t, err)
	text, err := yaml.Marshal(cfg)
	require.NoError(t, err)
	again, err := config.Parse("printed.yaml", text)
	require.NoError(t, err, string(text))
	require.Equal(t, cfg, again)
}

func TestLoadMissingFile(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, config.ErrInvalid)
}

// valid is the shortest configuration; cases below spoil it.
const valid = `upstreams:
  api:
    endpoints: [127.0.0.1:9001]
routes:
  - {path: /, upstream: api}
`

func TestValid(t *testing.T) {
	cfg, err := config.Parse("p.yaml", []byte(valid))
	require.NoError(t, err)
	require.NoError(t, cfg.Validate())
}

// up is a configuration whose one upstream has more lines.
func up(lines ...string) string {
	return "upstreams:\n  api:\n    endpoints: [127.0.0.1:9001]\n    " + strings.Join(lines, "\n    ") + "\nroutes: [{path: /, upstream: api}]\n"
}

// routes is a configuration with these routes.
func routes(lines ...string) string {
	return "upstreams:\n  api: {endpoints: [127.0.0.1:9001]}\nroutes:\n  - " + strings.Join(lines, "\n  - ") + "\n"
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty file":         {"", "p.yaml: got an empty file, want a mapping with upstreams and routes"},
		"only a comment":     {"# nothing\n", "p.yaml: got an empty file, want a mapping with upstreams and routes"},
		"not a mapping":      {"- a\n", `p.yaml:1:1: got a list, want a mapping`},
		"scalar":             {"hello\n", `p.yaml:1:1: got "hello", want a mapping`},
		"two documents":      {valid + "---\nlisten: 1\n", "p.yaml:7:1: got 2 documents, want one"},
		"unknown key":        {valid + "listn: x\n", "p.yaml:6:1: listn: got an unknown key, want one of admin, drain, http2, limits, listen, routes, telemetry, tls, upstreams"},
		"unknown nested key": {up("retires: 1"), "p.yaml:4:5: upstreams.api.retires: got an unknown key, want one of balance, breaker, deadline, dns, ejection, endpoints, fallback, health, hedge, http2, limit, pool, protocol, retries, retry, rewrite, slow_start, timeouts, tls"},
		"duplicate key":      {"listen: a:1\n" + valid + "listen: b:1\n", "p.yaml:7:1: listen: got the key a second time, want it once (see line 1)"},
		"duplicate upstream": {up() + "upstreams: {}\n", "p.yaml:6:1: upstreams: got the key a second time, want it once (see line 1)"},
		"listen no port":     {"listen: localhost\n" + valid, `p.yaml:1:1: listen: got "localhost", want host:port with a port from 0 to 65535`},
		"listen big port":    {"listen: localhost:70000\n" + valid, `p.yaml:1:1: listen: got "localhost:70000", want host:port with a port from 0 to 65535`},
		"listen null":        {"listen:\n" + valid, "p.yaml:1:8: listen: got nothing, want text"},
		"admin is listen":    {"listen: a:1\nadmin: a:1\n" + valid, `p.yaml:2:1: admin: got "a:1", want an address other than listen`},
		"bad duration":       {"drain: {announce: soon}\n" + valid, `p.yaml:1:19: drain.announce: got "soon", want a duration such as 250ms, 10s or 1m30s`},
		"bare number":        {"drain: {timeout: 10}\n" + valid, `p.yaml:1:18: drain.timeout: got "10", want a duration such as 250ms, 10s or 1m30s`},
		"negative duration":  {"drain: {announce: -1s}\n" + valid, "p.yaml:1:9: drain.announce: got -1s, want 0s to 1h"},
		"announce too long":  {"drain: {announce: 20s, timeout: 10s}\n" + valid, "p.yaml:1:9: drain.announce: got 20s, want at most drain.timeout, 10s"},
		"duration is a map":  {"drain: {timeout: {a: 1}}\n" + valid, "p.yaml:1:18: drain.timeout: got a mapping, want a duration such as 250ms, 10s or 1m30s"},
		"bad size":           {"limits: {header_bytes: 64QB}\n" + valid, `p.yaml:1:24: limits.header_bytes: got "64QB", want a size such as 512, 64KiB or 1MiB`},
		"size overflow":      {"limits: {header_bytes: 9223372036854775807GiB}\n" + valid, `p.yaml:1:24: limits.header_bytes: got "9223372036854775807GiB", want a size such as 512, 64KiB or 1MiB`},
		"size too small":     {"limits: {header_bytes: 10}\n" + valid, "p.yaml:1:10: limits.header_bytes: got 10, want 1KiB to 16MiB"},
		"zero timeout":       {"limits: {idle_timeout: 0s}\n" + valid, "p.yaml:1:10: limits.idle_timeout: got 0s, want 1ms to 24h"},
		"no cert":            {"tls: {certificates: [{key: k}]}\n" + valid, `p.yaml:1:22: tls.certificates[0].cert: got "", want the path of a PEM file`},
		"no key":             {"tls: {certificates: [{cert: c}]}\n" + valid, `p.yaml:1:22: tls.certificates[0].key: got "", want the path of a PEM file`},
		"certificate twice":  {"tls: {certificates: [{cert: c, key: k}, {cert: c, key: k}]}\n" + valid, `p.yaml:1:41: tls.certificates[1]: got a certificate a second time, want it once (see tls.certificates[0])`},
		"tls version":        {"tls: {min_version: \"1.1\"}\n" + valid, `p.yaml:1:7: tls.min_version: got "1.1", want one of 1.2, 1.3`},
		"client auth":        {"tls: {certificates: [{cert: c, key: k}], client_auth: maybe, client_ca: ca}\n" + valid, `p.yaml:1:42: tls.client_auth: got "maybe", want one of none, request, require`},
		"client auth, no ca": {"tls: {certificates: [{cert: c, key: k}], client_auth: require}\n" + valid, `p.yaml:1:1: tls.client_ca: got "", want the path of a PEM file, for client_auth needs it`},
		"client ca, no auth": {"tls: {certificates: [{cert: c, key: k}], client_ca: ca}\n" + valid, `p.yaml:1:42: tls.client_ca: got "ca", want nothing while client_auth is none`},
		"client auth, plain": {"tls: {client_auth: require, client_ca: ca}\n" + valid, `p.yaml:1:7: tls.client_auth: got "require", want none while there are no certificates`},
		"tls reload":         {"tls: {reload: -1s}\n" + valid, "p.yaml:1:7: tls.reload: got -1s, want 0s to 24h"},
		"tls handshakes":     {"tls: {handshakes: 0}\n" + valid, "p.yaml:1:7: tls.handshakes: got 0, want 1 to 65536"},
		"h2c under tls":      {"tls: {certificates: [{cert: c, key: k}]}\nhttp2: {h2c: true}\n" + valid, "p.yaml:2:9: http2.h2c: got true, want false while there are tls.certificates"},
		"no streams":         {"http2: {max_concurrent_streams: 0}\n" + valid, "p.yaml:1:9: http2.max_concurrent_streams: got 0, want 1 to 10000"},
		"otlp not a URL":     {"telemetry: {otlp: {endpoint: 127.0.0.1:4318}}\n" + valid, `p.yaml:1:20: telemetry.otlp.endpoint: got "127.0.0.1:4318", want a URL such as http://127.0.0.1:4318`},
		"otlp protocol":      {"telemetry: {otlp: {protocol: json}}\n" + valid, `p.yaml:1:20: telemetry.otlp.protocol: got "json", want one of http, grpc`},
		"otlp grpc path":     {"telemetry: {otlp: {protocol: grpc, endpoint: 'http://a:1/x'}}\n" + valid, `p.yaml:1:36: telemetry.otlp.endpoint: got "http://a:1/x", want a URL without a path, for the protocol is grpc`},
		"otlp ca in clear":   {"telemetry: {otlp: {ca: ca.pem, endpoint: 'http://a:1'}}\n" + valid, `p.yaml:1:20: telemetry.otlp.ca: got "ca.pem", want nothing for an endpoint that is not https`},
		"otlp compression":   {"telemetry: {otlp: {compression: zstd}}\n" + valid, `p.yaml:1:20: telemetry.otlp.compression: got "zstd", want one of none, gzip`},
		"otlp signal":        {"telemetry: {otlp: {signals: [spans]}}\n" + valid, `p.yaml:1:30: telemetry.otlp.signals[0]: got "spans", want one of traces, metrics, logs`},
		"otlp signal twice":  {"telemetry: {otlp: {signals: [logs, logs]}}\n" + valid, `p.yaml:1:36: telemetry.otlp.signals[1]: got "logs" a second time, want it once (see telemetry.otlp.signals[0])`},
		"otlp header":        {"telemetry: {otlp: {headers: {a b: c}}}\n" + valid, `p.yaml:1:30: telemetry.otlp.headers["a b"]: got "a b", want a header name`},
		"otlp header value":  {"telemetry: {otlp: {headers: {a: \"secret\\n\"}}}\n" + valid, `p.yaml:1:30: telemetry.otlp.headers.a: got a value with control characters, want a header value`},
		"otlp timeout":       {"telemetry: {otlp: {timeout: 0s}}\n" + valid, `p.yaml:1:20: telemetry.otlp.timeout: got 0s, want 10ms to 1m`},
		"otlp interval":      {"telemetry: {otlp: {interval: 1h}}\n" + valid, `p.yaml:1:20: telemetry.otlp.interval: got 1h0m0s, want 10ms to 1m`},
		"otlp metrics":       {"telemetry: {otlp: {metrics_interval: 1ms}}\n" + valid, `p.yaml:1:20: telemetry.otlp.metrics_interval: got 1ms, want 10ms to 1h`},
		"log level":          {"telemetry: {log: {level: loud}}\n" + valid, `p.yaml:1:19: telemetry.log.level: got "loud", want one of debug, info, warn, error`},
		"log share":          {"telemetry: {log: {sampling: {info: 2}}}\n" + valid, `p.yaml:1:30: telemetry.log.sampling.info: got 2, want 0 to 1`},
		"log warn share":     {"telemetry: {log: {sampling: {warn: -1}}}\n" + valid, `p.yaml:1:30: telemetry.log.sampling.warn: got -1, want 0 to 1`},
		"log rate":           {"telemetry: {log: {sampling: {rate: -1}}}\n" + valid, `p.yaml:1:30: telemetry.log.sampling.rate: got -1, want 0 to 1000000`},
		"mask header":        {"telemetry: {log: {mask: {headers: [a b]}}}\n" + valid, `p.yaml:1:36: telemetry.log.mask.headers[0]: got "a b", want a header name`},
		"mask parameter":     {"telemetry: {log: {mask: {query: ['']}}}\n" + valid, `p.yaml:1:34: telemetry.log.mask.query[0]: got "", want a parameter name`},
		"mask pattern":       {"telemetry: {log: {mask: {patterns: ['(']}}}\n" + valid, `p.yaml:1:37: telemetry.log.mask.patterns[0]: got "(", want phone, email or a regular expression (RE2) that does not match nothing`},
		"mask everything":    {"telemetry: {log: {mask: {patterns: ['x*']}}}\n" + valid, `p.yaml:1:37: telemetry.log.mask.patterns[0]: got "x*", want phone, email or a regular expression (RE2) that does not match nothing`},
		"sampler":            {"telemetry: {sampler: tail}\n" + valid, `p.yaml:1:13: telemetry.sampler: got "tail", want one of parent, ratio, always, never`},
		"keep slow":          {"telemetry: {keep: {slow: -1s}}\n" + valid, `p.yaml:1:20: telemetry.keep.slow: got -1s, want 0s to 1h`},
		"sample too big":     {"telemetry: {sample: 1.5}\n" + valid, "p.yaml:1:13: telemetry.sample: got 1.5, want 0 to 1"},
		"sample NaN":         {"telemetry: {sample: .nan}\n" + valid, `p.yaml:1:21: telemetry.sample: got ".nan", want a number`},
		"secret in log":      {"telemetry: {log_headers: [Cookie]}\n" + valid, `p.yaml:1:27: telemetry.log_headers[0]: got "Cookie", want a header that carries no secret`},
		"log header":         {"telemetry: {log_headers: [a b]}\n" + valid, `p.yaml:1:27: telemetry.log_headers[0]: got "a b", want a header name`},
		"log headers scalar": {"telemetry: {log_headers: X-Id}\n" + valid, `p.yaml:1:26: telemetry.log_headers: got "X-Id", want a list`},
		"no upstreams":       {"upstreams: {}\nroutes: [{path: /, upstream: api}]\n", "p.yaml:1:1: upstreams: got none, want at least one\np.yaml:2:20: routes[0].upstream: got \"api\", want the name of an upstream"},
		"upstream is null":   {"upstreams:\n  api:\nroutes: [{path: /, upstream: api}]\n", "p.yaml:2:7: upstreams.api: got nothing, want a mapping"},
		"upstream name":      {"upstreams: {\"a b\": {endpoints: [a:1]}}\nroutes: [{path: /, upstream: a b}]\n", `p.yaml:1:13: upstreams["a b"]: got "a b", want a name of 1 to 64 letters, digits, - and _`},
		"no endpoints":       {"upstreams: {api: {retries: 1}}\nroutes: [{path: /, upstream: api}]\n", "p.yaml:1:13: upstreams.api.endpoints: got none, want at least one host:port"},
		"endpoints scalar":   {"upstreams: {api: {endpoints: a:1}}\nroutes: [{path: /, upstream: api}]\n", `p.yaml:1:30: upstreams.api.endpoints: got "a:1", want a list`},
		"endpoint port 0":    {"upstreams: {api: {endpoints: [a:0]}}\nroutes: [{path: /, upstream: api}]\n", `p.yaml:1:31: upstreams.api.endpoints[0]: got "a:0", want host:port with a port from 1 to 65535`},
		"endpoint URL":       {"upstreams: {api: {endpoints: ['http://a:80']}}\nroutes: [{path: /, upstream: api}]\n", `p.yaml:1:31: upstreams.api.endpoints[0]: got "http://a:80", want host:port with a port from 1 to 65535`},
		"endpoint twice":     {"upstreams: {api: {endpoints: [a:1, a:1]}}\nroutes: [{path: /, upstream: api}]\n", "p.yaml:1:36: upstreams.api.endpoints[1]: got an endpoint a second time, want it once (see upstreams.api.endpoints[0])"},
		"endpoint list":      {"upstreams: {api: {endpoints: [[a:1]]}}\nroutes: [{path: /, upstream: api}]\n", `p.yaml:1:31: upstreams.api.endpoints[0]: got a list, want host:port, or a mapping with address and weight`},
		"endpoint key":       {"upstreams: {api: {endpoints: [{address: 'a:1', wait: 1}]}}\nroutes: [{path: /, upstream: api}]\n", `p.yaml:1:48: upstreams.api.endpoints[0].wait: got an unknown key, want one of address, weight`},
		"endpoint weight":    {"upstreams: {api: {balance: {policy: weighted}, endpoints: [{address: 'a:1', weight: 0}]}}\nroutes: [{path: /, upstream: api}]\n", `p.yaml:1:77: upstreams.api.endpoints[0].weight: got 0, want 1 to 1000`},
		"weight in turn":     {"upstreams: {api: {endpoints: [{address: 'a:1', weight: 2}]}}\nroutes: [{path: /, upstream: api}]\n", `p.yaml:1:48: upstreams.api.endpoints[0].weight: got 2, want 1, or another balance.policy than round-robin, which knows no weights`},
		"balance policy":     {up("balance: {policy: fair}"), `p.yaml:4:15: upstreams.api.balance.policy: got "fair", want one of hash, least-connections, p2c, round-robin, sticky, weighted`},
		"balance key":        {up("balance: {key: header}"), `p.yaml:4:15: upstreams.api.balance.key: got "header", want header:NAME, cookie:NAME, client or path`},
		"balance epsilon":    {up("balance: {epsilon: -1}"), `p.yaml:4:15: upstreams.api.balance.epsilon: got -1, want 0 to 10`},
		"cookie name":        {up("balance: {cookie: {name: a=b}}"), `p.yaml:4:24: upstreams.api.balance.cookie.name: got "a=b", want a cookie name`},
		"cookie path":        {up("balance: {cookie: {path: '/;x'}}"), `p.yaml:4:24: upstreams.api.balance.cookie.path: got "/;x", want a path that begins with /`},
		"cookie age":         {up("balance: {cookie: {max_age: 1500ms}}"), `p.yaml:4:24: upstreams.api.balance.cookie.max_age: got 1.5s, want whole seconds`},
		"health check":       {up("health: {check: ping}"), `p.yaml:4:14: upstreams.api.health.check: got "ping", want http, tcp, exec or off`},
		"health path":        {up("health: {check: http, path: x}"), `p.yaml:4:27: upstreams.api.health.path: got "x", want a path that begins with / and has no # or space`},
		"health host":        {up("health: {check: http, host: 'a b'}"), `p.yaml:4:27: upstreams.api.health.host: got "a b", want a host name, with a port or without, or nothing for the endpoint's address`},
		"health expect none": {up("health: {check: http, expect: []}"), `p.yaml:4:27: upstreams.api.health.expect: got none, want at least one status, or range such as 200-299`},
		"health expect":      {up("health: {check: http, expect: [200, 299-200]}"), `p.yaml:4:41: upstreams.api.health.expect[1]: got "299-200", want a status from 100 to 599, or a range such as 200-299`},
		"health command":     {up("health: {check: exec}"), `p.yaml:4:5: upstreams.api.health.command: got none, want a program and its arguments`},
		"health interval":    {up("health: {check: tcp, interval: 0s}"), `p.yaml:4:26: upstreams.api.health.interval: got 0s, want 10ms to 1h`},
		"health timeout":     {up("health: {check: tcp, timeout: 0s}"), `p.yaml:4:26: upstreams.api.health.timeout: got 0s, want 1ms to 1h`},
		"health thresholds":  {up("health: {check: tcp, unhealthy: 0, healthy: 0}"), "p.yaml:4:26: upstreams.api.health.unhealthy: got 0, want 1 to 1000\np.yaml:4:40: upstreams.api.health.healthy: got 0, want 1 to 1000"},
		"health off":         {up("health: {check: off, path: x}", "retries: -1"), "p.yaml:5:5: upstreams.api.retries: got -1, want 0 to 10"},
		"ejection failures":  {up("ejection: {enabled: true, failures: 0, slow: 0s}"), "p.yaml:4:31: upstreams.api.ejection.failures: got 0, want 1 to 1000000\np.yaml:4:44: upstreams.api.ejection.slow: got 0s, want 1ms to 1h"},
		"ejection time":      {up("ejection: {enabled: true, for: 0s, max_percent: 0}"), "p.yaml:4:31: upstreams.api.ejection.for: got 0s, want 1ms to 24h\np.yaml:4:40: upstreams.api.ejection.max_percent: got 0, want 1 to 100"},
		"ejection decay":     {up("ejection: {enabled: true, decay: 2, decay_every: 0s}"), "p.yaml:4:31: upstreams.api.ejection.decay: got 2, want 0 to 1\np.yaml:4:41: upstreams.api.ejection.decay_every: got 0s, want 1ms to 24h"},
		"slow start":         {up("slow_start: -1s"), "p.yaml:4:5: upstreams.api.slow_start: got -1s, want 0s to 1h"},
		"fallback unknown":   {up("fallback: web"), `p.yaml:4:5: upstreams.api.fallback: got "web", want the name of another upstream, or nothing`},
		"fallback itself":    {up("fallback: api"), `p.yaml:4:5: upstreams.api.fallback: got a way back to itself (api, api), want fallbacks that end`},
		"fallback loop": {
			"upstreams:\n  a: {endpoints: [a:1], fallback: b}\n  b: {endpoints: [a:1], fallback: c}\n  c: {endpoints: [a:1], fallback: b}\nroutes: [{path: /, upstream: a}]\n",
			"p.yaml:3:25: upstreams.b.fallback: got a way back to itself (b, c, b), want fallbacks that end\np.yaml:4:25: upstreams.c.fallback: got a way back to itself (c, b, c), want fallbacks that end",
		},
		"retries negative":   {up("retries: -1"), "p.yaml:4:5: upstreams.api.retries: got -1, want 0 to 10"},
		"retries text":       {up("retries: many"), `p.yaml:4:14: upstreams.api.retries: got "many", want a whole number`},
		"retries quoted":     {up(`retries: "2"`), `p.yaml:4:14: upstreams.api.retries: got "2", want a whole number`},
		"retries float":      {up("retries: 1.5"), `p.yaml:4:14: upstreams.api.retries: got "1.5", want a whole number`},
		"zero connect":       {up("timeouts: {connect: 0s}"), "p.yaml:4:16: upstreams.api.timeouts.connect: got 0s, want 1ms to 1h"},
		"queue is pool.wait": {up("timeouts: {queue: 1s}"), "p.yaml:4:16: upstreams.api.timeouts.queue: got an unknown key, want one of body_idle, connect, headers, per_try, tls, write"},
		"limit":              {up("limit: {concurrent: -1, wait: 0s}"), "p.yaml:4:13: upstreams.api.limit.concurrent: got -1, want 0 to 1000000\np.yaml:4:29: upstreams.api.limit.wait: got 0s, want 1ms to 1h"},
		"limit queue":        {up("limit: {queue: -1}"), "p.yaml:4:13: upstreams.api.limit.queue: got -1, want 0 to 1000000"},
		"rewrite find":       {up("rewrite: {body: [{find: '', replace: x}]}"), `p.yaml:4:23: upstreams.api.rewrite.body[0].find: got 0 bytes, want 1 to 1024 bytes of UTF-8`},
		"rewrite replace":    {up("rewrite: {body: [{find: a, replace: " + strings.Repeat("x", 16<<10+1) + "}]}"), `p.yaml:4:32: upstreams.api.rewrite.body[0].replace: got 16385 bytes, want 0 to 16384 bytes of UTF-8`},
		"rewrite too often":  {up("rewrite: {body: [" + strings.Repeat("{find: a}, ", 17) + "]}"), `p.yaml:4:15: upstreams.api.rewrite.body: got 17 entries, want at most 16`},
		"rewrite key":        {up("rewrite: {body: [{find: a, search: b}]}"), `p.yaml:4:32: upstreams.api.rewrite.body[0].search: got an unknown key, want one of find, replace`},
		"rewrite buffer":     {up("rewrite: {max_buffer: 17MiB}"), `p.yaml:4:15: upstreams.api.rewrite.max_buffer: got 17MiB, want 0 to 16MiB`},
		"rewrite type":       {up("rewrite: {types: [text/html, '*/json']}"), `p.yaml:4:34: upstreams.api.rewrite.types[1]: got "*/json", want a media type such as text/html, text/* or */*`},
		"rewrite framing":    {up("rewrite: {headers: {remove: [content-length]}}"), `p.yaml:4:34: upstreams.api.rewrite.headers.remove[0]: got "content-length", want a header that is not of the connection or the framing`},
		"rewrite header":     {up("rewrite: {headers: {set: {a b: c}}}"), `p.yaml:4:31: upstreams.api.rewrite.headers.set["a b"]: got "a b", want a header name`},
		"rewrite twice":      {up("rewrite: {headers: {add: {Vary: a, vary: b}}}"), `p.yaml:4:40: upstreams.api.rewrite.headers.add.vary: got "vary", want each header once: case does not matter`},
		"rewrite value":      {up(`rewrite: {headers: {set: {A: "b\nc"}}}`), `p.yaml:4:31: upstreams.api.rewrite.headers.set.A: got "b\nc", want a value without line ends and control characters`},
		"rewrite edits":      {up("rewrite: {headers: {remove: [" + strings.Repeat("A, ", 65) + "]}}"), `p.yaml:4:15: upstreams.api.rewrite.headers: got 65 edits, want at most 64`},
		"rewrite no list":    {up("rewrite: {headers: {set: [a]}}"), `p.yaml:4:30: upstreams.api.rewrite.headers.set: got a list, want a mapping`},
		"hedge":              {up("hedge: {after: -1s, max: 0}"), "p.yaml:4:13: upstreams.api.hedge.after: got -1s, want 0s to 1h\np.yaml:4:25: upstreams.api.hedge.max: got 0, want 1 to 5"},
		"zero connections":   {up("pool: {max_connections: 0}"), "p.yaml:4:12: upstreams.api.pool.max_connections: got 0, want 1 to 65536"},
		"dns refresh":        {up("dns: {refresh: 1ms}"), "p.yaml:4:11: upstreams.api.dns.refresh: got 1ms, want 0s, or 100ms to 24h"},
		"dns server":         {up("dns: {server: nowhere}"), `p.yaml:4:11: upstreams.api.dns.server: got "nowhere", want host:port with a port from 1 to 65535`},
		"dns server at once": {up("dns: {server: '127.0.0.1:53', refresh: 0s}"), `p.yaml:4:35: upstreams.api.dns.refresh: got 0s beside a server, want 100ms to 24h: without it each dial looks names up by itself`},
		"min idle":           {up("pool: {min_idle: 65, idle_timeout: 1s}"), "p.yaml:4:12: upstreams.api.pool.min_idle: got 65, want at most max_idle and max_connections, 64"},
		"min idle negative":  {up("pool: {min_idle: -1}"), "p.yaml:4:12: upstreams.api.pool.min_idle: got -1, want 0 to 65536"},
		"tls off":            {up("tls: {ca: a.pem}"), "p.yaml:4:5: upstreams.api.tls.enabled: got false beside other settings of TLS, want true, or none of them"},
		"tls cert alone":     {up("tls: {enabled: true, cert: a.pem}"), `p.yaml:4:26: upstreams.api.tls.cert: got "a.pem" with the key "", want both cert and key, or neither`},
		"tls insecure ca":    {up("tls: {enabled: true, ca: a.pem, insecure: true}"), `p.yaml:4:26: upstreams.api.tls.ca: got "a.pem", want nothing where insecure accepts any certificate`},
		"tls server name":    {up("tls: {enabled: true, server_name: 'a:443'}"), `p.yaml:4:26: upstreams.api.tls.server_name: got "a:443", want a host name without a port`},
		"protocol":           {up("protocol: h3"), `p.yaml:4:5: upstreams.api.protocol: got "h3", want one of http1, h2, auto`},
		"auto in plain text": {up("protocol: auto"), `p.yaml:4:5: upstreams.api.protocol: got "auto", want http1 or h2 where tls.enabled is false: ALPN is a part of TLS`},
		"ping timeout":       {up("http2: {ping_timeout: 0s}"), "p.yaml:4:13: upstreams.api.http2.ping_timeout: got 0s, want 1ms to 1h"},
		"failure rate":       {up("breaker: {failure_rate: 60}"), "p.yaml:4:15: upstreams.api.breaker.failure_rate: got 60, want 0.001 to 1"},
		"breaker on":         {up("breaker: {enabled: on}"), `p.yaml:4:24: upstreams.api.breaker.enabled: got "on", want true or false`},
		"backoff order":      {up("retry: {backoff: 5s, max_backoff: 1s}"), "p.yaml:4:13: upstreams.api.retry.backoff: got 5s, want at most retry.max_backoff, 1s"},
		"no routes":          {"upstreams: {api: {endpoints: [a:1]}}\n", "p.yaml:1:1: routes: got none, want at least one"},
		"unknown upstream":   {"upstreams: {api: {endpoints: [a:1]}}\nroutes:\n  - {path: /, upstream: web}\n", `p.yaml:3:15: routes[0].upstream: got "web", want the name of an upstream (api)`},
		"route path":         {"upstreams: {api: {endpoints: [a:1]}}\nroutes:\n  - {path: v1, upstream: api}\n", `p.yaml:3:6: routes[0].path: got "v1", want a prefix that begins with / and has no ?, # or space`},
		"route path query":   {"upstreams: {api: {endpoints: [a:1]}}\nroutes:\n  - {path: '/v1?x', upstream: api}\n", `p.yaml:3:6: routes[0].path: got "/v1?x", want a prefix that begins with / and has no ?, # or space`},
		"route host":         {"upstreams: {api: {endpoints: [a:1]}}\nroutes:\n  - {host: 'a.*.b', path: /, upstream: api}\n", `p.yaml:3:6: routes[0].host: got "a.*.b", want a host name without a port, *.domain, or nothing for any`},
		"route host port":    {"upstreams: {api: {endpoints: [a:1]}}\nroutes:\n  - {host: 'a:80', path: /, upstream: api}\n", `p.yaml:3:6: routes[0].host: got "a:80", want a host name without a port, *.domain, or nothing for any`},
		"route twice":        {"upstreams: {api: {endpoints: [a:1]}}\nroutes:\n  - {path: /, upstream: api}\n  - {path: /, upstream: api}\n", "p.yaml:4:5: routes[1]: got the host and path of another route, want them once (see routes[0])"},
		"route method":       {routes("{path: /, methods: [G ET, CONNECT, GET, GET], upstream: api}"), "p.yaml:4:25: routes[0].methods[0]: got \"G ET\", want a method such as GET\np.yaml:4:31: routes[0].methods[1]: got \"CONNECT\", want a method other than CONNECT, which a reverse proxy refuses\np.yaml:4:45: routes[0].methods[3]: got a method a second time, want it once"},
		"route header":       {routes("{path: /, headers: [{name: Host, value: a}], upstream: api}"), `p.yaml:4:26: routes[0].headers[0].name: got "Host", want a header other than Host, Transfer-Encoding and Trailer`},
		"route header name":  {routes("{path: /, headers: [{value: a}], upstream: api}"), `p.yaml:4:25: routes[0].headers[0].name: got "", want a header name`},
		"route header value": {routes("{path: /, headers: [{name: a, value: 'x '}], upstream: api}"), `p.yaml:4:35: routes[0].headers[0].value: got "x ", want a field value without control characters and outer spaces`},
		"route header twice": {routes("{path: /, headers: [{name: a}, {name: A}], upstream: api}"), `p.yaml:4:37: routes[0].headers[1].name: got "A" a second time, want each name once`},
		"route query":        {routes("{path: /, query: [{value: a}], upstream: api}"), `p.yaml:4:23: routes[0].query[0].name: got "", want the name of a parameter`},
		"route conditions":   {routes("{path: /, query: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}, {name: g}, {name: h}, {name: i}], upstream: api}"), `p.yaml:4:15: routes[0].query: got 9 conditions, want at most 8`},
		"route priority":     {routes("{path: /, priority: 3, upstream: api}"), `p.yaml:4:15: routes[0].priority: got 3, want none on a route without conditions: it comes last`},
		"route conditions twice": {
			routes("{path: /, methods: [GET], query: [{name: a, value: b}], upstream: api}", "{path: /, query: [{name: a, value: b}], methods: [GET], upstream: api}"),
			"p.yaml:5:5: routes[1]: got the host, path and conditions of another route, want them once (see routes[0])",
		},
		"route ambiguous": {
			routes("{path: /, headers: [{name: a}], upstream: api}", "{path: /, headers: [{name: b}], upstream: api}"),
			"p.yaml:5:5: routes[1]: got conditions that a request can meet together with those of routes[0], want values that exclude each other, more conditions on one of them, or another priority",
		},
		"route both":     {routes("{path: /, upstream: api, upstreams: [{name: api, weight: 1}]}"), `p.yaml:4:15: routes[0].upstream: got "api" beside upstreams, want one of the two`},
		"route shares":   {routes("{path: /, upstreams: [{name: api}, {name: web, weight: 1}, {name: api, weight: 2}]}"), "p.yaml:4:27: routes[0].upstreams[0].weight: got 0, want 1 to 1000000\np.yaml:4:41: routes[0].upstreams[1].name: got \"web\", want the name of an upstream (api)\np.yaml:4:65: routes[0].upstreams[2].name: got \"api\" a second time, want each upstream once"},
		"route neither":  {routes("{path: /}"), `p.yaml:4:5: routes[0].upstream: got "", want the name of an upstream (api)`},
		"anchored value": {"drain: {timeout: &t 10s}\n" + valid, "p.yaml:1:18: drain.timeout: got an anchor, alias or merge, want a duration such as 250ms, 10s or 1m30s"},
		"tag":            {"listen: !!str a:1\n" + valid, "p.yaml:1:9: listen: got a tag, want text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse("p.yaml", []byte(c.text))
			require.ErrorIs(t, err, config.ErrInvalid)
			require.Equal(t, c.want, err.Error())
		})
	}
}

func TestEveryProblemIsReported(t *testing.T) {
	_, err := config.Load("testdata/broken.yaml")
	want, rerr := os.ReadFile("testdata/broken.golden")
	require.NoError(t, rerr)
	require.Equal(t, strings.TrimSpace(string(want)), err.Error())
	var problems *config.Error
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems.Problems, 9)
}

func TestNotYAML(t *testing.T) {
	for _, text := range []string{"a: [1, 2\n", "a: 'x\n", "\tlisten: x\n", "a: b: c\n", "{"} {
		_, err := config.Parse("p.yaml", []byte(text))
		require.ErrorIs(t, err, config.ErrInvalid, text)
		require.Contains(t, err.Error(), "p.yaml:1:", text)
		require.NotContains(t, err.Error(), "\n", text)
	}
}

func TestValidateWithoutFile(t *testing.T) {
	cfg := config.Default()
	require.EqualError(t, cfg.Validate(), "upstreams: got none, want at least one\nroutes: got none, want at least one")
	cfg.Upstreams["api"] = config.DefaultUpstream("127.0.0.1:1")
	cfg.Routes = []config.Route{{Path: "/", Upstream: "api"}}
	require.NoError(t, cfg.Validate())
	cfg.Upstreams["nil"] = nil
	require.EqualError(t, cfg.Validate(), "upstreams.nil: got nothing, want an upstream")
}

func TestSize(t *testing.T) {
	for text, want := range map[string]config.Size{"0": 0, "7": 7, "7B": 7, "64KiB": 64 << 10, "1 MiB": 1 << 20, "2GiB": 2 << 30} {
		got, err := config.ParseSize(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "KiB", "-1", "1.5KiB", "1kb", "0x10", "+1", "1_000", "99999999999999999999"} {
		_, err := config.ParseSize(text)
		require.Error(t, err, text)
	}
	require.Equal(t, "64KiB", config.Size(64<<10).String())
	require.Equal(t, "1025", config.Size(1025).String())
}

// FuzzParse holds the parser to its word: no panic, one line a problem with
// file and place, and what was accepted is valid and can be printed and read
// back unchanged.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"full.yaml", "broken.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(text)
	}
	for _, s := range []string{valid, "", "a: &x [*x]", "<<: {a: 1}", "? a\n: b", "!!map {}", "--- |\n x", "[", "a:\n- b\n  c"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := config.Parse("f.yaml", data)
		if err != nil {
			require.ErrorIs(t, err, config.ErrInvalid)
			for line := range strings.SplitSeq(err.Error(), "\n") {
				require.True(t, strings.HasPrefix(line, "f.yaml"), "%q", line)
				require.Contains(t, line, ", want ")
			}
			return
		}
		require.NoError(t, cfg.Validate())
		text, err := yaml.Marshal(cfg)
		require.NoError(t, err)
		again, err := config.Parse("again.yaml", text)
		require.NoError(t, err, string(text))
		require.Equal(t, fmt.Sprintf("%+v", cfg.Routes), fmt.Sprintf("%+v", again.Routes))
	})
}

func ExampleParse() {
	_, err := config.Parse("proxy.yaml", []byte("upstreams: {api: {endpoints: [localhost]}}\nroutes: [{path: /, upstream: web}]\n"))
	fmt.Println(err)
	// Output:
	// proxy.yaml:1:31: upstreams.api.endpoints[0]: got "localhost", want host:port with a port from 1 to 65535
	// proxy.yaml:2:20: routes[0].upstream: got "web", want the name of an upstream (api)
}
