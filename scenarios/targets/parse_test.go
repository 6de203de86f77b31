package targets_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/scenarios/decode"
	"gauntlet/scenarios/targets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noEnv(string) (string, bool) { return "", false }

func token(name string) (string, bool) { return "s3cr3t-" + name, name == "TOKEN" }

// full is a file that says everything that can stand beside start.
const full = `name: edge
version: "1.2"
start: [./edge, --listen, "${listen}", "${knobs}"]
env: {UPSTREAM: "${backend.0}", SPANS: "${otlp}"}
files:
  - from: edge.conf
    to: conf/edge.conf
    replace: {"api.internal:8080": "${backend.0}", "token": "${env:TOKEN}"}
request:
  host: api.example
  prefix: /api
  headers: {Authorization: "Bearer ${env:TOKEN}"}
ready: {request: /healthz, timeout: 5s}
reload: [./edge, reload, "${admin}"]
drain: SIGQUIT
stop: SIGTERM
features: [retries, streaming]
settings: {upstream.timeouts.headers: 30s, upstream.workers: 1}
knobs: {upstream.retries: "--retries=${value}", upstream.timeouts.connect: "--connect=${value.ms}"}
telemetry: {otlp: true, prometheus: "http://${admin}/metrics", access_log: "${dir}/access.log"}
accept: [{scenario: timeouts/phases, because: JIRA-1, until: 2027-01-01}]
`

// goodFiles are files that hold, each with another way to say it.
var goodFiles = map[string]string{
	"full":    full,
	"telling": telling,
	"short":   "name: a\nstart: [a, \"${listen}\", \"${backend.0}\"]\n",
	"many":    "name: a\nstart: [a, -p, \"${listen.port}\", \"${backends}\"]\nreload: SIGHUP\nready: {connect: true}\n",
	"fixed":   "name: a\nstart: [a, \"${listen}\"]\nbackends: {listen: [\"127.0.0.1:19001\"]}\n",
	"running": "name: a\nurl: http://127.0.0.1:8080\nbackends: {listen: [\"127.0.0.1:9001\"]}\nreload: [a, reload]\nenv: {A: b}\n",
}

func TestGoodFilesAreRead(t *testing.T) {
	for name, text := range goodFiles {
		_, spec, err := targets.Parse("g.yaml", []byte(text), token)
		require.NoError(t, err, name)
		require.NotEmpty(t, spec.Name)
	}
}

const allowedPlaceholders = "${listen}, ${listen.host}, ${listen.port}, ${backend.N}, ${backend.N.host}, ${backend.N.port}, ${backends}, ${admin}, ${dir}, ${otlp}, ${otlp.grpc}, ${tls.cert}, ${tls.key}, ${tls.ca}, ${knobs}, ${knob.NAME} of a knob in this file, ${env:NAME}"

const allowedSignals = "SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH"

// malformed says what is replaced in full by what, and the error that is due.
// shape says that the schema refuses it, too.
var malformed = map[string]struct {
	old, with string
	shape     bool
	want      string
}{
	"name missing":        {"name: edge\n", "", true, "g.yaml:1:1: name: is missing; allowed: how reports shall call the proxy"},
	"name blank":          {"name: edge", `name: " "`, true, "g.yaml:1:7: name: is missing; allowed: how reports shall call the proxy"},
	"name a list":         {"name: edge", "name: [edge]", true, `g.yaml:1:7: name: found a list; allowed: text`},
	"unknown key":         {"version:", "brand:", true, `g.yaml:2:1: brand: unknown key "brand"; allowed: name, version, start, url, env, files, backends, request, ready, reload, config, upgrade, drain, stop, features, settings, knobs, telemetry, accept`},
	"key twice":           {"version:", "name:", false, `g.yaml:2:1: name: key "name" stands here twice`},
	"neither":             {`start: [./edge, --listen, "${listen}", "${knobs}"]` + "\n", "", true, "g.yaml:1:1: start: is missing; allowed: a command that starts the proxy, or url: of one that runs"},
	"both":                {"env:", "url: http://127.0.0.1:1\nenv:", true, "g.yaml:4:6: url: stands beside start; allowed: one of them"},
	"start text":          {`start: [./edge, --listen, "${listen}", "${knobs}"]`, "start: ./edge", true, `g.yaml:3:8: start: found "./edge"; allowed: a list`},
	"start nested":        {"[./edge, --listen", "[[./edge], --listen", true, "g.yaml:3:9: start[0]: found a list; allowed: text"},
	"listen unused":       {`"${listen}"`, `"127.0.0.1:80"`, false, "g.yaml:3:8: start: nothing uses ${listen}; allowed: ${listen} in start, env or files, so that the proxy listens where clients connect"},
	"placeholder unknown": {"${listen}", "${listn}", false, "g.yaml:3:8: start: nothing uses ${listen}; allowed: ${listen} in start, env or files, so that the proxy listens where clients connect\ng.yaml:3:27: start[2]: found ${listn}, which stands for nothing; allowed: " + allowedPlaceholders},
	"placeholder open":    {`"${listen}"`, `"${listen}", "${admin"`, false, "g.yaml:3:40: start[3]: found ${ without its }; allowed: " + allowedPlaceholders},
	"placeholder in env":  {"${otlp}", "${otlp}${spans}", false, "g.yaml:4:40: env.SPANS: found ${spans}, which stands for nothing; allowed: " + allowedPlaceholders},
	"placeholder in file": {`"${backend.0}", "token"`, `"${backend.00}", "token"`, false, "g.yaml:8:36: files[0].replace.api.internal:8080: found ${backend.00}, which stands for nothing; allowed: " + allowedPlaceholders},
	"backend too high":    {`"${backend.0}", "token"`, `"${backend.64}", "token"`, false, "g.yaml:8:36: files[0].replace.api.internal:8080: found ${backend.64}, which stands for nothing; allowed: " + allowedPlaceholders},
	"knob unknown here":   {`"${knobs}"`, `"${knobs}", "${knob.upstream.pool.wait}"`, false, "g.yaml:3:52: start[4]: found ${knob.upstream.pool.wait}, which stands for nothing; allowed: " + allowedPlaceholders},
	"variable not set":    {"Bearer ${env:TOKEN}", "Bearer ${env:TOKN}", false, "g.yaml:12:28: request.headers.Authorization: environment variable TOKN is not set; allowed: one that is"},
	"variable nameless":   {"Bearer ${env:TOKEN}", "Bearer ${env:}", false, "g.yaml:12:28: request.headers.Authorization: found ${env:}, which stands for nothing; allowed: " + allowedPlaceholders},
	"file from missing":   {"from: edge.conf", `from: ""`, false, "g.yaml:6:11: files[0].from: is missing; allowed: a path beside the target file"},
	"file leaves dir":     {"to: conf/edge.conf", "to: ../edge.conf", false, `g.yaml:7:9: files[0].to: found "../edge.conf"; allowed: a path within ${dir}`},
	"host odd":            {"host: api.example", `host: "a b"`, false, `g.yaml:10:9: request.host: found "a b"; allowed: what may stand in a Host field`},
	"prefix open":         {"prefix: /api", "prefix: api/", true, `g.yaml:11:11: request.prefix: found "api/"; allowed: a path such as /api, without a / at its end`},
	"header ours":         {"Authorization:", "X-Gauntlet-Id:", false, "g.yaml:12:28: request.headers.X-Gauntlet-Id: is a field that scenarios write; allowed: any but connection, content-length, expect, host, te, trailer, transfer-encoding, upgrade, x-gauntlet-id, traceparent"},
	"header broken":       {`"Bearer ${env:TOKEN}"`, `"a\r\nb: c"`, false, `g.yaml:12:28: request.headers.Authorization: found "Authorization": "a\r\nb: c"; allowed: a field's name and its value`},
	"ready path":          {"request: /healthz", "request: healthz", true, `g.yaml:13:18: ready.request: found "healthz"; allowed: a path such as /healthz`},
	"ready both":          {"ready: {", "ready: {connect: true, ", false, "g.yaml:13:18: ready.connect: stands beside ready.request; allowed: one of them"},
	"ready timeout":       {"timeout: 5s", "timeout: soon", true, `g.yaml:13:37: ready.timeout: not a quantity: "soon" is no duration; write it like 250ms, 1.5s or 2m`},
	"reload signal":       {`[./edge, reload, "${admin}"]`, "SIGFOO", true, `g.yaml:14:9: reload: found "SIGFOO"; allowed: ` + allowedSignals + ", or a command as a list"},
	"reload empty":        {`[./edge, reload, "${admin}"]`, "[]", true, "g.yaml:14:9: reload: found an empty list; allowed: a command and its arguments"},
	"reload a map":        {`[./edge, reload, "${admin}"]`, "{signal: SIGHUP}", true, "g.yaml:14:9: reload: found a map; allowed: " + allowedSignals + ", or a command as a list"},
	"drain unknown":       {"SIGQUIT", "quit", true, `g.yaml:15:8: drain: found "quit"; allowed: ` + allowedSignals},
	"stop number":         {"SIGTERM", "15", true, `g.yaml:16:7: stop: found "15"; allowed: ` + allowedSignals},
	"upgrade unknown":     {"stop: SIGTERM", "stop: SIGTERM\nupgrade: usr2", true, `g.yaml:17:10: upgrade: found "usr2"; allowed: ` + allowedSignals},
	"config, no reload":   {`reload: [./edge, reload, "${admin}"]`, "config: edge.conf", false, `g.yaml:14:9: config: found "edge.conf" without reload; allowed: with it, since it is the file that a reload reads`},
	"feature unknown":     {"[retries, streaming]", "[retries, websocket]", true, `g.yaml:17:21: features[1]: found "websocket"; allowed: announce, breaker, drain, expect, full_duplex, http1.0, interim, pool, recovery, reload, reload_endpoints, reload_refuses, replace, retries, streaming, trailers, upgrade`},
	"setting unknown":     {"upstream.workers: 1", "upstream.worker: 1", true, "g.yaml:18:61: settings.upstream.worker: is no setting; allowed: see gauntlet list settings"},
	"setting value":       {"upstream.workers: 1", "upstream.workers: few", false, `g.yaml:18:62: settings.upstream.workers: found "few"; allowed: a whole number`},
	"setting endpoints":   {"upstream.workers: 1", "upstream.endpoints: 1", true, "g.yaml:18:64: settings.upstream.endpoints: stands here; allowed: nothing, the file says it by the ${backend.N} that it uses"},
	"knob unknown":        {"upstream.retries: \"--", "upstream.retry: \"--", true, "g.yaml:19:25: knobs.upstream.retry: is no setting that a knob can have; allowed: see gauntlet list settings"},
	"knob without value":  {"--retries=${value}", "--retries", true, `g.yaml:19:27: knobs.upstream.retries: found "--retries"; allowed: a text in which ${value} stands, and no other ${…}`},
	"knob no duration":    {"--retries=${value}", "--retries=${value.ms}", false, `g.yaml:19:27: knobs.upstream.retries: found "--retries=${value.ms}"; allowed: a text in which ${value} stands, and no other ${…}`},
	"knob and setting":    {"upstream.workers: 1", "upstream.retries: 1", false, "g.yaml:19:27: knobs.upstream.retries: stands in settings, too; allowed: one of them"},
	"knob unused":         {`"${knobs}"`, `"${knob.upstream.retries}"`, false, "g.yaml:19:76: knobs.upstream.timeouts.connect: is used nowhere; allowed: ${knobs} or ${knob.upstream.timeouts.connect} in start, env or files, so that what it sets reaches the proxy"},
	"otlp unused":         {`, SPANS: "${otlp}"`, "", false, "g.yaml:20:19: telemetry.otlp: nothing uses ${otlp}; allowed: ${otlp} or ${otlp.grpc} in start, env or files, so that spans come to where they are read"},
	"otlp text":           {"otlp: true", "otlp: maybe", true, `g.yaml:20:19: telemetry.otlp: found "maybe"; allowed: true or false`},
	"accept bare":         {", because: JIRA-1", "", true, "g.yaml:21:10: accept[0]: needs scenario and because; allowed: a scenario's id and why its failure is tolerated"},
	"accept for ever":     {"2027-01-01", "never", true, `g.yaml:21:62: accept[0].until: found "never"; allowed: a date such as 2027-01-31`},
	"accept no such day":  {"2027-01-01", "2027-02-30", false, `g.yaml:21:62: accept[0].until: found "2027-02-30"; allowed: a date such as 2027-01-31`},
}

func TestMalformedFilesAreRefusedWithPlaceAndRemedy(t *testing.T) {
	for name, c := range malformed {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(full, c.old, c.with, 1)
			require.NotEqual(t, full, text)
			_, _, err := targets.Parse("g.yaml", []byte(text), token)
			require.ErrorIs(t, err, decode.ErrInvalid)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestWhatCannotStandBesideURL(t *testing.T) {
	const running = "name: a\nurl: http://127.0.0.1:8080\nbackends: {listen: [\"127.0.0.1:9001\"]}\n"
	for name, c := range map[string]struct{ old, with, want string }{
		"no URL":        {"http://127.0.0.1:8080", "localhost", `g.yaml:2:6: url: found "localhost"; allowed: http://host:port or https://host:port`},
		"not a URL":     {"http://127.0.0.1:8080", "'http://%zz'", `g.yaml:2:6: url: found "http://%zz"; allowed: http://host:port or https://host:port`},
		"ftp":           {"http://", "ftp://", `g.yaml:2:6: url: found scheme "ftp"; allowed: http, https`},
		"a path":        {":8080", ":8080/api", `g.yaml:2:6: url: found more than a scheme and an address in "http://127.0.0.1:8080/api"; allowed: a scheme, a host and a port; a path goes into request.prefix`},
		"a password":    {"127.0.0.1:8080", "me:secret@127.0.0.1:8080", `g.yaml:2:6: url: found more than a scheme and an address in "http://me:xxxxx@127.0.0.1:8080"; allowed: a scheme, a host and a port; a path goes into request.prefix`},
		"a needless CA": {"url:", "request: {ca: ca.pem}\nurl:", `g.yaml:2:15: request.ca: stands beside a url of http; allowed: with https`},
		"both kinds":    {"backends: {", "backends: {tap: [{listen: \"127.0.0.1:1\", to: \"10.0.0.1:1\"}], ", "g.yaml:3:17: backends.tap: stands beside backends.listen; allowed: one of them, for backends are scripted or real"},
		"a tap nowhere": {`listen: ["127.0.0.1:9001"]`, "tap: [{to: \"10.0.0.1:1\"}]", "g.yaml:3:18: backends.tap[0].listen: is missing; allowed: host:port at which the proxy at url finds this backend"},
		"a tap of none": {`listen: ["127.0.0.1:9001"]`, "tap: [{listen: \"127.0.0.1:1\", to: there}]", `g.yaml:3:46: backends.tap[0].to: found "there"; allowed: host:port of a real backend`},
		"backend port":  {"127.0.0.1:9001", "127.0.0.1", `g.yaml:3:21: backends.listen[0]: found "127.0.0.1"; allowed: host:port`},
		"port odd":      {"127.0.0.1:9001", "127.0.0.1:99999", `g.yaml:3:21: backends.listen[0]: found "127.0.0.1:99999"; allowed: host:port`},
		"drain":         {"url:", "drain: SIGTERM\nurl:", "g.yaml:2:8: drain: stands beside url; allowed: with start only, since nothing here starts the proxy at url"},
		"files":         {"url:", "files: [{from: a}]\nurl:", "g.yaml:2:8: files: stands beside url; allowed: with start only, since nothing here starts the proxy at url"},
		"upgrade":       {"url:", "upgrade: SIGUSR2\nurl:", "g.yaml:2:10: upgrade: stands beside url; allowed: with start only, since nothing here starts the proxy at url"},
		"reload":        {"url:", "reload: SIGHUP\nurl:", "g.yaml:2:9: reload: stands beside url; allowed: with start only, since nothing here starts the proxy at url"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(running, c.old, c.with, 1)
			require.NotEqual(t, running, text)
			_, _, err := targets.Parse("g.yaml", []byte(text), noEnv)
			require.EqualError(t, err, c.want)
		})
	}
}

// Whatever a file holds, it is refused with a word about it or it can be
// planned, or says what it lacks.
func FuzzParse(f *testing.F) {
	for _, text := range goodFiles {
		f.Add([]byte(text))
	}
	for _, c := range malformed {
		f.Add([]byte(strings.Replace(full, c.old, c.with, 1)))
	}
	for _, c := range mistold {
		f.Add([]byte(strings.Replace(telling, c.old, c.with, 1)))
	}
	dir := f.TempDir()
	conf := filepath.Join(dir, "edge.conf")
	require.NoError(f, os.WriteFile(conf, []byte("api.internal:8080 token"), 0o600))
	f.Fuzz(func(t *testing.T, text []byte) {
		target, spec, err := targets.Parse(filepath.Join(dir, "g.yaml"), text, token)
		if err != nil {
			require.ErrorIs(t, err, decode.ErrInvalid)
			require.Nil(t, target)
			return
		}
		require.NotEmpty(t, spec.Name)
		spec.Files = nil // they may name any file of this machine
		plan, err := targets.FromSpec(*spec, filepath.Join(dir, "g.yaml"), token).Plan(wants(t))
		if err == nil {
			require.NotEmpty(t, plan.Address)
			require.Equal(t, len(spec.Start) > 0 && spec.URL == "", len(plan.Args) > 0)
			return
		}
		var lacks *targets.Unsupported
		require.ErrorAs(t, err, &lacks)
		require.NotEmpty(t, lacks.Lacks)
	})
}
