package targets

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func planCaddyDefault(w Wants) (*Plan, error) {
	fixed := map[string]string{"upstream.workers": "1", "upstream.retries": "0", "upstream.pool.max_idle": "32", "upstream.idle_timeout": "2m0s"}
	if w.Given["downstream.tls"] != "true" && w.Given["downstream.http2"] == "true" {
		return nil, &Unsupported{Target: "caddy" + Default, Lacks: []string{"setting downstream.http2 (in the clear)"}}
	}
	effective, err := modest("caddy", w, fixed, "streaming", "full_duplex", "recovery", "http1.0", "drain", "pool", "upgrade", "trailers", "interim", "expect", "reload", "reload_endpoints", "reload_refuses")
	if err != nil {
		return nil, err
	}
	host, port, _ := strings.Cut(w.Listen, ":")
	conf := fmt.Sprintf(`{
	admin %s
	default_bind %s
	storage file_system %s
}
:%s {
%s	reverse_proxy %s
}
`, w.Admin, host, w.Dir, port, w.either("downstream.tls", fmt.Sprintf("\ttls %s %s\n", w.TLS.Cert, w.TLS.Key)), strings.Join(w.Backends, " "))
	path := filepath.Join(w.Dir, "Caddyfile")
	if err := writeFile(path, []byte(conf)); err != nil {
		return nil, err
	}
	return &Plan{
		Args: []string{"caddy", "run", "--adapter", "caddyfile", "--config", path},
		Env:  []string{"HOME=" + w.Dir, "XDG_DATA_HOME=" + w.Dir, "XDG_CONFIG_HOME=" + w.Dir},
		Dir:  w.Dir, Address: w.Listen, Settings: effective, Config: path,
		Ready: Ready{Timeout: 15 * time.Second},
		Drain: syscall.SIGTERM, Stop: syscall.SIGTERM, Grace: 15 * time.Second,
		Reload: Reload{Args: []string{"caddy", "reload", "--adapter", "caddyfile", "--config", path, "--address", w.Admin, "--force"}},
	}, nil
}
