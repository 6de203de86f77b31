package targets

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gauntlet/scenarios"
	"gauntlet/scenarios/evidence"
)

// Nginx is the nginx found on PATH, with a configuration that streams both
// ways, keeps upstream connections and never ejects an endpoint, so that what
// is judged is nginx and not a default meant for something else.
func Nginx() Target {
	return installed{name: "nginx", program: "nginx", version: "-v", plan: planNginx}
}

func planNginx(w Wants) (*Plan, error) {
	line := func(format string) knob { return func(v string) string { return fmt.Sprintf(format, v) } }
	knobs := map[string]knob{
		"upstream.timeouts.connect":   line("proxy_connect_timeout %s;"),
		"upstream.timeouts.headers":   line("proxy_read_timeout %s;"),
		"upstream.timeouts.body_idle": line("proxy_read_timeout %s;"),
		"upstream.timeouts.write":     line("proxy_send_timeout %s;"),
		"upstream.retries": func(v string) string {
			n, _ := strconv.Atoi(v)
			return fmt.Sprintf("proxy_next_upstream error timeout; proxy_next_upstream_tries %d;", n+1)
		},
		"downstream.idle_timeout":   line("keepalive_timeout %s;"),
		"downstream.header_timeout": line("client_header_timeout %s;"),
		"downstream.body_timeout":   line("client_body_timeout %s;"),
		"downstream.write_timeout":  line("send_timeout %s;"),
		"downstream.tls": func(string) string {
			return fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;", w.TLS.Cert, w.TLS.Key)
		},
		"upstream.tls": func(string) string {
			return fmt.Sprintf("proxy_ssl_trusted_certificate %s; proxy_ssl_verify on; proxy_ssl_name %s; proxy_ssl_server_name on;", w.TLS.CA, scenarios.BackendName)
		},
		rewriteFind:                     line("%s"),
		rewriteReplace:                  line("%s"),
		rewriteSet:                      line("%s"),
		rewriteRemove:                   line("%s"),
		"upstream.limit.concurrent":     line("limit_conn exchanges %s;"),
		"upstream.idle_timeout":         line("%s"),
		"upstream.pool.max_idle":        line("%s"),
		"upstream.pool.max_connections": line("%s"),
	}
	fixed := map[string]string{"upstream.endpoints": strconv.Itoa(len(w.Backends)), "upstream.workers": "1", "lifecycle.drain": "true", "lifecycle.announce": "0s", "upstream.limit.queue": "0"}
	if w.Given["downstream.tls"] == "true" {
		knobs["downstream.http2"] = line("%s") // in the clear its port would speak nothing else
	}
	effective, texts, lacks := resolve(w.Given, fixed, knobs)
	features := []string{"streaming", "full_duplex", "retries", "recovery", "http1.0", "drain", "pool", "upgrade", "reload", "reload_endpoints", "reload_refuses"}
	if err := unsupported("nginx", lacks, lackingFeatures(w.Requires, features)); err != nil {
		return nil, err
	}
	if a, b := texts["upstream.timeouts.headers"], texts["upstream.timeouts.body_idle"]; a != "" && b != "" {
		delete(texts, "upstream.timeouts.body_idle") // one directive bounds both
		effective["upstream.timeouts.body_idle"] = effective["upstream.timeouts.headers"]
	}
	var servers, directives strings.Builder
	for _, b := range w.Backends {
		limit := ""
		if n := texts["upstream.pool.max_connections"]; n != "" {
			limit = " max_conns=" + n
		}
		fmt.Fprintf(&servers, "    server %s max_fails=0%s;\n", b, limit)
	}
	directives.WriteString(nginxRewrite(texts))
	for _, name := range sortedKeys(texts) {
		switch name {
		case "upstream.idle_timeout", "upstream.pool.max_idle", "upstream.pool.max_connections", "downstream.http2":
		default:
			fmt.Fprintf(&directives, "    %s\n", texts[name])
		}
	}
	scheme := "http"
	if texts["upstream.tls"] != "" {
		scheme = "https"
	}
	listen := w.Listen
	if texts["downstream.tls"] != "" {
		listen += " ssl"
	}
	if texts["downstream.http2"] != "" {
		listen += " http2"
	}
	conf := fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr warn;
worker_shutdown_timeout 5s;
events { worker_connections 4096; }
http {
%[8]s  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  keepalive_requests 1000000;
  limit_conn_zone $server_port zone=exchanges:1m;
  limit_conn_status 503;
  map $http_upgrade $upstream_connection { default ''; '~.' upgrade; }
  upstream backend {
%[2]s    keepalive %[3]s;
    keepalive_requests 1000000;
    keepalive_timeout %[4]s;
  }
  server {
    listen %[5]s;
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_set_header Connection $upstream_connection;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Host $host;
    proxy_request_buffering off;
    proxy_buffering off;
    lingering_close always;
%[6]s    location / { proxy_pass %[7]s://backend; }
  }
}
`, w.Dir, servers.String(), cmp.Or(texts["upstream.pool.max_idle"], "64"), cmp.Or(texts["upstream.idle_timeout"], "60s"), listen, directives.String(), scheme, nginxLog(w))
	return runNginx(w, conf, effective)
}

// runNginx writes the configuration and says how it is run.
func runNginx(w Wants, conf string, effective map[string]string) (*Plan, error) {
	path := filepath.Join(w.Dir, "nginx.conf")
	if err := writeFile(path, []byte(conf)); err != nil {
		return nil, err
	}
	return &Plan{
		Args:     []string{"nginx", "-e", "stderr", "-c", path},
		Dir:      w.Dir,
		Address:  w.Listen,
		Settings: effective,
		Ready:    Ready{Timeout: 10 * time.Second},
		Drain:    syscall.SIGQUIT,
		Stop:     syscall.SIGTERM,
		Reload:   Reload{Signal: syscall.SIGHUP},
		Config:   path,
		Grace:    10 * time.Second,

		Telemetry: []string{"access_log"},
		AccessLog: filepath.Join(w.Dir, "access.log"),
		Says:      evidence.Says{Fields: evidence.Fields{Trace: "trace_id"}}, // it has no spans of its own
	}, nil
}

// nginxLog has an access log written that names exchanges and their traces.
func nginxLog(w Wants) string {
	return fmt.Sprintf(`  map $http_traceparent $trace_id { default ''; '~^00-(?<trace>[0-9a-f]+)-' $trace; }
  log_format gauntlet escape=json '{"msec":$msec,"id":"$http_x_gauntlet_id","trace_id":"$trace_id","method":"$request_method","status":$status,"bytes":$body_bytes_sent,"upstream":"$upstream_addr","upstream_status":"$upstream_status"}';
  access_log %s/access.log gauntlet;
`, w.Dir)
}
