package targets

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

func planHAProxyDefault(w Wants) (*Plan, error) {
	fixed := map[string]string{"upstream.workers": strconv.Itoa(runtime.NumCPU()), "upstream.retries": "3"}
	effective, err := modest("haproxy", w, fixed, "streaming", "full_duplex", "retries", "http1.0", "drain", "pool", "upgrade", "trailers", "interim", "expect", "reload", "reload_endpoints", "reload_refuses")
	if err != nil {
		return nil, err
	}
	bind := w.Listen + w.either("downstream.tls", " ssl crt "+w.TLS.Cert)
	if w.Given["downstream.tls"] == "true" {
		bind += w.either("downstream.http2", " alpn h2,http/1.1")
	}
	var servers strings.Builder
	for i, b := range w.Backends {
		fmt.Fprintf(&servers, "    server b%d %s\n", i+1, b)
	}
	return runHAProxy(w, fmt.Sprintf(`global
    ssl-load-extra-del-ext
    log stdout format raw local0 info
defaults
    log global
    mode http
    option dontlognull
    timeout connect 5000
    timeout client 50000
    timeout server 50000
frontend in
    bind %s
%s    default_backend backend
backend backend
%s`, bind, haproxyLog, servers.String()), effective)
}
