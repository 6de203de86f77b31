package targets

import "strconv"

// Default is what the name of a target ends with that is configured as its
// project's first page does it, and not as somebody who knows the proxy would.
// Beside that stands only what it takes to run several at once and to see what
// they do: addresses, directories and the form of the access log. It has no
// knobs: what such a configuration does not say is not asked of it, but for TLS
// and HTTP/2 towards clients, which nobody has by chance.
const Default = "@default"

// NginxDefault is proxy_pass and nothing else, as in nginx's guide for beginners
// and, for more endpoints than one, in its guide to load balancing: HTTP/1.0
// without kept connections, bodies buffered and bounded, Host replaced.
func NginxDefault() Target {
	return installed{name: "nginx" + Default, program: "nginx", version: "-v", plan: planNginxDefault}
}

// HAProxyDefault is a frontend and a backend under the defaults section that
// Debian installs; threads, retries and timeouts are as they come.
func HAProxyDefault() Target {
	return installed{name: "haproxy" + Default, program: "haproxy", version: "-v", plan: planHAProxyDefault}
}

// CaddyDefault is a Caddyfile with one reverse_proxy directive.
func CaddyDefault() Target {
	return installed{name: "caddy" + Default, program: "caddy", version: "version", plan: planCaddyDefault}
}

// ApacheDefault is ProxyPass and ProxyPassReverse as in Apache's guide to reverse
// proxies, under the limits and timeouts that Debian installs.
func ApacheDefault() Target {
	return installed{name: "apache" + Default, program: "apache2", version: "-v", plan: planApacheDefault}
}

// modest resolves what is wanted of a default configuration.
func modest(name string, w Wants, fixed map[string]string, features ...string) (effective map[string]string, err error) {
	plain := func(v string) string { return v }
	fixed["upstream.endpoints"] = strconv.Itoa(len(w.Backends))
	fixed["lifecycle.drain"] = "true"
	effective, _, lacks := resolve(w.Given, fixed, map[string]knob{"downstream.tls": plain, "downstream.http2": plain})
	return effective, unsupported(name+Default, lacks, lackingFeatures(w.Requires, features))
}

// either gives the text where the case wants the setting.
func (w Wants) either(setting, text string) string {
	if w.Given[setting] == "true" {
		return text
	}
	return ""
}
