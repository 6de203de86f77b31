package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/vulcand/oxy/v2/forward"
)

// serveOxy is a proxy on oxy's forwarder.
func serveOxy(ctx context.Context, ln net.Listener, s settings) error {
	proxy := forward.New(false)
	proxy.Transport = transport()
	target := url.URL{Scheme: "http", Host: s.Backend}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Scheme, r.URL.Host = target.Scheme, target.Host
		proxy.ServeHTTP(w, r)
	})}
	return until(ctx, func() error { return server.Serve(ln) }, server.Close)
}

func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = keep, keep
	return t
}
