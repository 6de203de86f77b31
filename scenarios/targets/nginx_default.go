package targets

import (
	"fmt"
	"strconv"
	"strings"
)

func planNginxDefault(w Wants) (*Plan, error) {
	fixed := map[string]string{"upstream.workers": "1", "upstream.retries": strconv.Itoa(len(w.Backends) - 1)}
	effective, err := modest("nginx", w, fixed, "http1.0", "drain", "reload", "reload_endpoints", "reload_refuses")
	if err != nil {
		return nil, err
	}
	upstream, to := "", "backend"
	if len(w.Backends) == 1 {
		to = w.Backends[0]
	} else {
		upstream = "  upstream backend {\n    server " + strings.Join(w.Backends, ";\n    server ") + ";\n  }\n"
	}
	listen := w.Listen + w.either("downstream.tls", " ssl") + w.either("downstream.http2", " http2")
	secure := w.either("downstream.tls", fmt.Sprintf("    ssl_certificate %s;\n    ssl_certificate_key %s;\n", w.TLS.Cert, w.TLS.Key))
	return runNginx(w, fmt.Sprintf(`daemon off;
pid %[1]s/nginx.pid;
error_log stderr warn;
events { }
http {
%[2]s  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
%[3]s  server {
    listen %[4]s;
%[5]s    location / {
      proxy_pass http://%[6]s;
    }
  }
}
`, w.Dir, nginxLog(w), upstream, listen, secure, to), effective)
}
