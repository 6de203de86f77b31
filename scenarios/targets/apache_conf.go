package targets

import (
	"cmp"
	"fmt"
	"strings"
)

// apacheConf is the configuration. Beside what a scenario asks for:
//
//   - one child, with room for others that end gracefully, has one pool;
//   - flushpackets=on passes on each part of an answer as it comes;
//   - upgrade=ANY tunnels every protocol, and not websocket alone;
//   - retry=0 leaves no member alone after an error, and is no retry at all;
//   - proxy-prefetch-nonblocking begins an upload before 16 KiB of it are there;
//   - H2EarlyHints passes on what comes before an answer by HTTP/2, too;
//   - nocanon, AllowEncodedSlashes and MergeSlashes leave targets as they came;
//   - LimitRequestBody 0 bounds no body, and body=0 times no slow upload;
//   - MaxKeepAliveRequests 0 closes no connection after its hundredth request.
func apacheConf(w Wants, texts map[string]string) string {
	modules := []string{
		"mpm_event", "authz_core", "env", "setenvif", "headers", "reqtimeout", "slotmem_shm",
		"proxy", "proxy_http", "proxy_balancer", "lbmethod_byrequests",
	}
	protocol := "h2c"
	if texts["downstream.tls"] != "" {
		modules, protocol = append(modules, "ssl"), "h2"
	}
	var directives strings.Builder
	if texts["downstream.http2"] == "true" {
		modules = append(modules, "http2")
		fmt.Fprintf(&directives, "Protocols %s http/1.1\nH2EarlyHints On\n", protocol)
	}
	if name, value := field(texts[rewriteSet]); name != "" {
		fmt.Fprintf(&directives, "Header onsuccess unset %s\nHeader always set %[1]s \"%s\"\n", name, value)
	}
	if name := texts[rewriteRemove]; name != "" {
		fmt.Fprintf(&directives, "Header onsuccess unset %s\nHeader always unset %[1]s\n", name)
	}
	for _, one := range [][2]string{
		{"downstream.idle_timeout", "KeepAliveTimeout 60"},
		{"downstream.header_timeout", "RequestReadTimeout header=0 body=0"},
		{"downstream.body_timeout", ""},
		{"downstream.write_timeout", ""},
		{"downstream.tls", ""},
	} {
		if text := cmp.Or(texts[one[0]], one[1]); text != "" {
			directives.WriteString(text + "\n")
		}
	}
	attempts := ""
	if texts["upstream.retries"] != "" {
		attempts = " " + texts["upstream.retries"]
	}
	return apacheModules(modules...) + apacheHere(w) + fmt.Sprintf(`ServerLimit 8
StartServers 1
ThreadLimit 256
ThreadsPerChild 256
MaxRequestWorkers 256
MinSpareThreads 1
MaxSpareThreads 512
GracefulShutdownTimeout 5
KeepAlive On
MaxKeepAliveRequests 0
LimitRequestBody 0
AllowEncodedSlashes NoDecode
MergeSlashes Off
SetEnv proxy-prefetch-nonblocking 1
%[1]sProxyRequests Off
ProxyVia On
ProxyPreserveHost On
<Proxy balancer://backend>
%[2]s    ProxySet lbmethod=byrequests%[3]s
</Proxy>
ProxyPass / balancer://backend/ nocanon
%[4]s`, apacheLog(w), apacheMembers(w, texts), attempts, directives.String())
}

// apacheLog has an access log written that names exchanges and their traces.
func apacheLog(w Wants) string {
	return fmt.Sprintf(`SetEnvIf traceparent "^00-([0-9a-f]+)-" trace_id=$1
LogFormat '{"id":"%%{x-gauntlet-id}i","trace_id":"%%{trace_id}e","method":"%%m","status":%%>s,"bytes":%%B,"connection":"%%X"}' gauntlet
CustomLog %s/access.log gauntlet
`, w.Dir)
}

// apacheModules loads modules, as Debian has them.
func apacheModules(names ...string) string {
	var b strings.Builder
	for _, m := range names {
		fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", m)
	}
	return b.String()
}

// apacheHere is what it takes to run one in a directory of its own. An account
// is named for a server that root starts; others go on as who they are.
func apacheHere(w Wants) string {
	return fmt.Sprintf(`ServerRoot %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/apache.pid
ServerName proxy.test
ErrorLog %[1]s/error.log
User #65534
Group #65534
Listen %[2]s
`, w.Dir, w.Listen)
}
