package proxy

import (
	"crypto/tls"
	"net/http"
	"time"

	"gauntlet/proxy/config"
	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/balance"
	"gauntlet/proxy/upstream/health"
)

// endpoints translates a list of endpoints.
func endpoints(given []config.Endpoint) []upstream.Endpoint {
	list := make([]upstream.Endpoint, len(given))
	for i, e := range given {
		list[i] = upstream.Endpoint{Address: e.Address, Weight: e.Weight}
	}
	return list
}

// balancing translates how they are chosen.
func balancing(b config.Balance) balance.Config {
	key, _ := balance.ParseKey(b.Key) // validated
	return balance.Config{
		Policy: b.Policy, Key: key, Epsilon: b.Epsilon,
		Cookie: balance.Cookie{
			Name: b.Cookie.Name, Path: b.Cookie.Path, MaxAge: int(b.Cookie.MaxAge / time.Second),
			HTTPOnly: b.Cookie.HTTPOnly, Secure: b.Cookie.Secure, Secret: b.Cookie.Secret,
		},
	}
}

// network is how checks reach endpoints: as requests do.
func network(secure *tls.Config, protocol transport.Protocol) health.Network {
	n := health.Network{TLS: secure}
	if protocol != transport.HTTP1 {
		n.Protocols = new(http.Protocols)
		n.Protocols.SetHTTP1(protocol == transport.Auto)
		n.Protocols.SetHTTP2(secure != nil)
		n.Protocols.SetUnencryptedHTTP2(secure == nil)
	}
	return n
}

// checks translates how they are checked; nil: they are not.
func checks(h config.Health, n health.Network) *health.Config {
	cfg := health.Config{Interval: h.Interval, Timeout: h.Timeout, Unhealthy: h.Unhealthy, Healthy: h.Healthy}
	switch h.Check {
	case "http":
		cfg.Check = health.HTTP(h.Path, h.Host, h.Statuses(), n)
	case "tcp":
		cfg.Check = health.TCP(n)
	case "exec":
		cfg.Check = health.Exec(h.Command)
	default:
		return nil
	}
	return &cfg
}
