package targets

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gauntlet/fixtures/script"
	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
)

// HAProxy is the haproxy found on PATH. Its timeouts start generous, so that
// only those a scenario sets can fire.
func HAProxy() Target {
	return installed{name: "haproxy", program: "haproxy", version: "-v", plan: planHAProxy}
}

func planHAProxy(w Wants) (*Plan, error) {
	ms := func(format string) knob {
		return func(v string) string {
			d, err := time.ParseDuration(v)
			if err != nil {
				return fmt.Sprintf(format, v)
			}
			return fmt.Sprintf(format, strconv.FormatInt(max(1, d.Milliseconds()), 10)+"ms")
		}
	}
	plain := func(v string) string { return v }
	knobs := map[string]knob{
		"upstream.timeouts.connect":     ms("timeout connect %s"),
		"upstream.timeouts.headers":     ms("timeout server %s"),
		"upstream.timeouts.body_idle":   ms("timeout server %s"),
		"upstream.pool.wait":            ms("timeout queue %s"),
		"upstream.pool.max_connections": plain,
		"upstream.pool.max_idle":        plain,
		"upstream.idle_timeout":         ms("%s"),
		rewriteSet:                      plain,
		rewriteRemove:                   plain,
		"upstream.limit.concurrent":     plain,
		"upstream.limit.queue":          plain,
		"upstream.limit.wait":           ms("timeout queue %s"),
		"upstream.retries":              func(v string) string { return "retries " + v },
		"upstream.protocol":             plain,
		"upstream.tls": func(string) string {
			return fmt.Sprintf(" ssl verify required ca-file %s sni str(%[2]s) verifyhost %[2]s", w.TLS.CA, scenarios.BackendName)
		},
		"downstream.tls":            func(string) string { return " ssl crt " + w.TLS.Cert },
		"downstream.idle_timeout":   ms("timeout http-keep-alive %s"),
		"downstream.header_timeout": ms("timeout http-request %s"),
		"downstream.http2":          func(string) string { return " alpn h2,http/1.1" }, // in the clear it knows a preface by itself
	}
	fixed := map[string]string{"upstream.endpoints": strconv.Itoa(len(w.Backends)), "upstream.workers": "1", "lifecycle.drain": "true", "lifecycle.announce": "0s"}
	effective, texts, lacks := resolve(w.Given, fixed, knobs)
	if len(w.Backends) > 1 && effective["upstream.limit.concurrent"] != "" {
		lacks = append(lacks, "setting upstream.limit.concurrent (maxconn is each server's own)")
	}
	features := []string{"streaming", "full_duplex", "retries", "http1.0", "drain", "pool", "upgrade", "trailers", "interim", "expect", "reload", "reload_endpoints", "reload_refuses"}
	if err := unsupported("haproxy", lacks, lackingFeatures(w.Requires, features)); err != nil {
		return nil, err
	}
	if a, b := texts["upstream.timeouts.headers"], texts["upstream.timeouts.body_idle"]; a != "" && b != "" {
		delete(texts, "upstream.timeouts.body_idle") // one timeout bounds both
		effective["upstream.timeouts.body_idle"] = effective["upstream.timeouts.headers"]
	}
	bind := w.Listen + texts["downstream.tls"]
	if texts["downstream.tls"] != "" {
		bind += texts["downstream.http2"]
	}
	var servers, directives strings.Builder
	for i, b := range w.Backends {
		fmt.Fprintf(&servers, "    server b%d %s", i+1, b)
		for _, flag := range [][2]string{{"maxconn", "upstream.pool.max_connections"}, {"maxconn", "upstream.limit.concurrent"}, {"pool-max-conn", "upstream.pool.max_idle"}, {"pool-purge-delay", "upstream.idle_timeout"}} {
			if v := texts[flag[1]]; v != "" {
				fmt.Fprintf(&servers, " %s %s", flag[0], v)
			}
		}
		servers.WriteString(texts["upstream.tls"] + speaks(texts["upstream.protocol"], texts["upstream.tls"] != "") + "\n")
	}
	defaults := map[string]string{"timeout connect": "10s", "timeout client": "60s", "timeout server": "60s", "timeout http-keep-alive": "60s", "timeout queue": "10s", "timeout tunnel": "60s"}
	bind += full(texts) + haproxyRewrite(texts)
	delete(texts, "upstream.limit.concurrent") // said by now
	delete(texts, "upstream.limit.queue")
	for _, name := range sortedKeys(texts) {
		switch name {
		case "upstream.idle_timeout", "upstream.pool.max_idle", "upstream.pool.max_connections", "upstream.protocol", "upstream.tls", "downstream.tls", "downstream.http2":
			continue
		}
		head := texts[name][:strings.LastIndexByte(texts[name], ' ')]
		delete(defaults, head)
		fmt.Fprintf(&directives, "    %s\n", texts[name])
	}
	for _, head := range sortedKeys(defaults) {
		fmt.Fprintf(&directives, "    %s %s\n", head, defaults[head])
	}
	conf := fmt.Sprintf(`global
    maxconn 4096
    nbthread 1
    hard-stop-after 5s
    ssl-load-extra-del-ext
    log stdout format raw local0 info
defaults
    log global
    mode http
    option http-keep-alive
    http-reuse safe
%sfrontend in
    bind %s
%s    default_backend backend
backend backend
    balance roundrobin
%s`, directives.String(), bind, haproxyLog, servers.String())
	return runHAProxy(w, conf, effective)
}

// runHAProxy writes the configuration and says how it is run.
func runHAProxy(w Wants, conf string, effective map[string]string) (*Plan, error) {
	path := filepath.Join(w.Dir, "haproxy.cfg")
	if err := writeFile(path, []byte(conf)); err != nil {
		return nil, err
	}
	args := []string{"haproxy", "-db", "-f", path}
	var reload Reload
	if slices.Contains(w.Requires, "reload") {
		pid := filepath.Join(w.Dir, "haproxy.pid")
		args = slices.Insert(args, 1, "-W", "-p", pid) // only a master can start another worker
		reload.Args = []string{"sh", "-c", haproxyReload, "sh", pid, filepath.Join(w.Dir, Output)}
	}
	return &Plan{
		Args:     args,
		Dir:      w.Dir,
		Address:  w.Listen,
		Settings: effective,
		Ready:    Ready{Timeout: 10 * time.Second},
		Drain:    syscall.SIGUSR1,
		Stop:     syscall.SIGTERM,
		Reload:   reload,
		Config:   path,
		Grace:    10 * time.Second,

		Telemetry: []string{"access_log"},
		AccessLog: filepath.Join(w.Dir, Output), // it writes no files itself
		Says:      evidence.Says{Fields: evidence.Fields{Trace: "trace_id"}},
	}, nil
}

// haproxyReload sends SIGUSR2 until the master says that it reloads: one that
// has just forked its worker starts itself anew in order to wait, and what
// reaches it at that moment is lost. Nobody reloads so early but a test.
const haproxyReload = `
before=$(grep -c "Reloading HAProxy" "$2")
for try in 1 2 3 4 5 6 7 8 9 10; do
  kill -USR2 "$(cat "$1")" || exit 1
  for look in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ "$(grep -c "Reloading HAProxy" "$2")" -gt "$before" ] && exit 0
    sleep 0.05
  done
done
exit 1
`

// speaks gives a server's words for a protocol: with prior knowledge in the
// clear, by ALPN under TLS.
func speaks(protocol string, secure bool) string {
	switch {
	case protocol != string(script.H2):
		return ""
	case secure:
		return " alpn h2"
	}
	return " proto h2"
}

// full refuses what exceeds the exchanges under way and those that may wait.
// maxqueue would send it to the queue of the whole backend instead.
func full(texts map[string]string) string {
	concurrent, queue := texts["upstream.limit.concurrent"], texts["upstream.limit.queue"]
	if concurrent == "" || queue == "" {
		return ""
	}
	n, _ := strconv.Atoi(concurrent) // whole numbers both: scenarios.Setting has parsed them
	m, _ := strconv.Atoi(queue)
	return fmt.Sprintf("\n    http-request return status 503 if { be_conn(backend) ge %d }", n+m)
}

// haproxyLog has its log name exchanges and their traces.
const haproxyLog = `    http-request capture req.hdr(x-gauntlet-id) len 64
    http-request capture req.hdr(traceparent),field(2,-) len 32
    log-format '{"id":"%[capture.req.hdr(0)]","trace_id":"%[capture.req.hdr(1)]","method":"%HM","status":%ST,"bytes":%B,"server":"%s","retries":"%rc","termination":"%ts"}'
`
