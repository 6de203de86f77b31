package proxy

import (
	"log/slog"

	"gauntlet/proxy/transport"
)

// lookedUp gives what counts the lookups of an upstream's names, and logs those
// that say something new.
func (p *Proxy) lookedUp(name string) func(string, transport.Lookup) {
	return func(endpoint string, l transport.Lookup) {
		p.tel.LookedUp(name, l.Err == nil)
		if !l.News {
			return
		}
		attrs := []slog.Attr{slog.String("upstream", name), slog.String("endpoint", endpoint), slog.Any("addresses", l.Addresses)}
		if l.Err != nil {
			attrs = append(attrs, slog.String("error", l.Err.Error()))
			p.log.LogAttrs(p.base, slog.LevelWarn, "endpoint not looked up, addresses before stay in use", attrs...)
			return
		}
		p.log.LogAttrs(p.base, slog.LevelInfo, "endpoint looked up", attrs...)
	}
}
