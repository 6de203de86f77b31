package targets

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"gauntlet/fixtures/script"
	"gauntlet/scenarios"
)

// Caddy is the caddy found on PATH, configured in its own JSON, without
// automatic HTTPS and with round robin instead of chance.
func Caddy() Target {
	return installed{name: "caddy", program: "caddy", version: "version", plan: planCaddy}
}

func planCaddy(w Wants) (*Plan, error) {
	plain := func(v string) string { return v }
	knobs := map[string]knob{"upstream.limit.concurrent": plain, rewriteSet: plain, rewriteRemove: plain}
	for _, name := range []string{
		"upstream.timeouts.connect", "upstream.timeouts.headers", "upstream.timeouts.body_idle", "upstream.timeouts.write",
		"upstream.retries", "upstream.idle_timeout", "upstream.pool.max_idle", "upstream.pool.max_connections",
		"upstream.protocol", "upstream.tls", "downstream.tls", "downstream.http2",
		"downstream.idle_timeout", "downstream.header_timeout", "lifecycle.announce", "lifecycle.timeout",
	} {
		knobs[name] = plain
	}
	fixed := map[string]string{"upstream.endpoints": strconv.Itoa(len(w.Backends)), "upstream.workers": "1", "upstream.balance": "round-robin", "upstream.limit.queue": "0", "lifecycle.drain": "true"}
	effective, texts, lacks := resolve(w.Given, fixed, knobs)
	lacks = append(lacks, caddyLacks(w, texts)...)
	features := []string{"streaming", "full_duplex", "retries", "recovery", "http1.0", "drain", "pool", "upgrade", "trailers", "interim", "expect", "reload", "reload_endpoints", "reload_refuses"}
	if err := unsupported("caddy", lacks, lackingFeatures(w.Requires, features)); err != nil {
		return nil, err
	}
	conf, err := json.MarshalIndent(caddyConfig(w, texts), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write caddy's configuration: %w", err)
	}
	path := filepath.Join(w.Dir, "caddy.json")
	if err := writeFile(path, append(conf, '\n')); err != nil {
		return nil, err
	}
	return &Plan{
		Args:     []string{"caddy", "run", "--config", path},
		Env:      []string{"HOME=" + w.Dir, "XDG_DATA_HOME=" + w.Dir, "XDG_CONFIG_HOME=" + w.Dir},
		Dir:      w.Dir,
		Address:  w.Listen,
		Settings: effective,
		Ready:    Ready{Timeout: 15 * time.Second},
		Drain:    syscall.SIGTERM,
		Stop:     syscall.SIGTERM,
		Reload:   Reload{Args: []string{"caddy", "reload", "--config", path, "--address", w.Admin, "--force"}},
		Config:   path,
		Grace:    15 * time.Second,
	}, nil
}

// caddyLacks names the values and combinations of its knobs that this Caddy
// does not have.
func caddyLacks(w Wants, texts map[string]string) (lacks []string) {
	if len(w.Backends) > 1 && texts["upstream.limit.concurrent"] != "" {
		lacks = append(lacks, "setting upstream.limit.concurrent (max_requests is each upstream's own)")
	}
	if texts["upstream.protocol"] != string(script.H2) || texts["upstream.tls"] == "true" {
		return lacks
	}
	// For HTTP/2 in the clear it has a transport of its own, which takes none
	// of these from the configuration.
	for _, name := range []string{
		"upstream.timeouts.connect", "upstream.timeouts.headers", "upstream.timeouts.body_idle", "upstream.timeouts.write",
		"upstream.idle_timeout", "upstream.pool.max_idle", "upstream.pool.max_connections",
	} {
		if texts[name] != "" {
			lacks = append(lacks, "setting "+name+" (of HTTP/2 in the clear)")
		}
	}
	return lacks
}

// An object is one of JSON.
type object map[string]any

// with adds a member, unless there is nothing to say.
func (o object) with(key, value string) object {
	if value != "" {
		o[key] = value
	}
	return o
}

// number is with, for whole numbers above 0.
func (o object) number(key, value string) object {
	if n, err := strconv.Atoi(value); err == nil && n > 0 { // scenarios.Setting has parsed it
		o[key] = n
	}
	return o
}

func caddyConfig(w Wants, texts map[string]string) object {
	server := object{
		"listen": []string{w.Listen}, "automatic_https": object{"disable": true}, "protocols": []string{"h1"},
		"routes": []object{{"handle": []object{caddyProxy(w, texts)}}},
	}
	server.with("idle_timeout", texts["downstream.idle_timeout"]).with("read_header_timeout", texts["downstream.header_timeout"])
	apps := object{}
	secure := texts["downstream.tls"] == "true"
	if secure {
		server["tls_connection_policies"] = []object{{}}
		apps["tls"] = object{"certificates": object{"load_files": []object{{"certificate": w.TLS.Cert, "key": w.TLS.Key}}}}
	}
	switch {
	case texts["downstream.http2"] != "true":
	case secure:
		server["protocols"] = []string{"h1", "h2"}
	default:
		server["protocols"] = []string{"h1", "h2c"}
	}
	// Without a grace period it would wait for its last connection for ever.
	http := object{"grace_period": "5s", "servers": object{"in": server}}
	apps["http"] = http.with("grace_period", texts["lifecycle.timeout"]).with("shutdown_delay", texts["lifecycle.announce"])
	return object{
		"admin":   object{"listen": w.Admin, "config": object{"persist": false}},
		"logging": object{"logs": object{"default": object{"level": "WARN"}}},
		"storage": object{"module": "file_system", "root": w.Dir},
		"apps":    apps,
	}
}

func caddyProxy(w Wants, texts map[string]string) object {
	var upstreams []object
	for _, b := range w.Backends {
		upstreams = append(upstreams, object{"dial": b}.number("max_requests", texts["upstream.limit.concurrent"]))
	}
	transport := object{"protocol": "http", "versions": []string{"1.1"}, "compression": false}
	transport.with("dial_timeout", texts["upstream.timeouts.connect"]).with("response_header_timeout", texts["upstream.timeouts.headers"])
	transport.with("read_timeout", texts["upstream.timeouts.body_idle"]).with("write_timeout", texts["upstream.timeouts.write"])
	transport.number("max_conns_per_host", texts["upstream.pool.max_connections"])
	// Its own defaults; half of this object alone would bring those of Go.
	keep := object{"idle_timeout": "2m", "max_idle_conns_per_host": 32}
	transport["keep_alive"] = keep.with("idle_timeout", texts["upstream.idle_timeout"]).number("max_idle_conns_per_host", texts["upstream.pool.max_idle"])
	secure := texts["upstream.tls"] == "true"
	if secure {
		transport["tls"] = object{"root_ca_pem_files": []string{w.TLS.CA}, "server_name": scenarios.BackendName}
	}
	switch {
	case texts["upstream.protocol"] != string(script.H2):
	case secure:
		transport["versions"] = []string{"2"}
	default:
		transport["versions"] = []string{"h2c"}
	}
	proxy := object{
		"handler": "reverse_proxy", "upstreams": upstreams, "transport": transport,
		"load_balancing": object{"selection_policy": object{"policy": "round_robin"}}.number("retries", texts["upstream.retries"]),
		// Answers are streamed. A negative interval would do that too, and
		// would go on with exchanges that clients have left.
		"flush_interval": "1ms",
	}
	response := object{}
	if name, value := field(texts[rewriteSet]); name != "" {
		response["set"] = object{name: []string{value}}
	}
	if name := texts[rewriteRemove]; name != "" {
		response["delete"] = []string{name}
	}
	if len(response) > 0 {
		proxy["headers"] = object{"response": response}
	}
	return proxy
}
