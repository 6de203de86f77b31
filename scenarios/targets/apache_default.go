package targets

import (
	"fmt"
	"strconv"
	"strings"
)

func planApacheDefault(w Wants) (*Plan, error) {
	fixed := map[string]string{"upstream.workers": "6", "upstream.retries": strconv.Itoa(len(w.Backends) - 1)}
	effective, err := modest("apache", w, fixed, "retries", "http1.0", "drain", "pool", "interim", "expect", "reload", "reload_endpoints", "reload_refuses")
	if err != nil {
		return nil, err
	}
	modules := []string{"mpm_event", "authz_core", "setenvif", "reqtimeout", "proxy", "proxy_http"}
	extra, protocol := "", "h2c"
	if w.Given["downstream.tls"] == "true" {
		modules, protocol = append(modules, "ssl"), "h2"
		extra = fmt.Sprintf("SSLEngine On\nSSLCertificateFile %s\nSSLCertificateKeyFile %s\n", w.TLS.Cert, w.TLS.Key)
	}
	if w.Given["downstream.http2"] == "true" {
		modules = append(modules, "http2")
		extra += "Protocols " + protocol + " http/1.1\n"
	}
	to := "http://" + w.Backends[0] + "/"
	if len(w.Backends) > 1 {
		modules = append(modules, "slotmem_shm", "proxy_balancer", "lbmethod_byrequests")
		to = "balancer://backend/"
		extra += "<Proxy balancer://backend>\n    BalancerMember http://" + strings.Join(w.Backends, "\n    BalancerMember http://") + "\n</Proxy>\n"
	}
	return runApache(w, apacheModules(modules...)+apacheHere(w)+apacheLog(w)+fmt.Sprintf(`Timeout 300
KeepAlive On
MaxKeepAliveRequests 100
KeepAliveTimeout 5
StartServers 2
MinSpareThreads 25
MaxSpareThreads 75
ThreadLimit 64
ThreadsPerChild 25
MaxRequestWorkers 150
RequestReadTimeout header=20-40,MinRate=500
RequestReadTimeout body=10,MinRate=500
%[1]sProxyPass / %[2]s
ProxyPassReverse / %[2]s
`, extra, to), effective)
}
