package proxy

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

// resolver gives what asks the server at the address for names, nil for none: the
// machine's own way is taken. The context of a lookup must end some time.
func resolver(server string) func(context.Context, string) ([]netip.Addr, error) {
	if server == "" {
		return nil
	}
	return func(ctx context.Context, host string) ([]netip.Addr, error) {
		// The lookup of the standard library goes on behind the back of one whose
		// context has ended: without sockets it ends, too.
		r := &net.Resolver{PreferGo: true, Dial: func(_ context.Context, network, _ string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, server)
			if err == nil {
				context.AfterFunc(ctx, func() { _ = c.Close() })
			}
			return c, err
		}}
		return r.LookupNetIP(ctx, "ip", strings.TrimSuffix(host, ".")+".")
	}
}
