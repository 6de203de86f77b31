package main

import (
	"context"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// serveFast is a proxy on fasthttp: its requests and responses are held whole
// in memory, and its client repeats idempotent requests by itself.
func serveFast(ctx context.Context, ln net.Listener, s settings) error {
	client := &fasthttp.HostClient{
		Addr: s.Backend, MaxConns: keep, MaxIdleConnDuration: time.Minute,
		NoDefaultUserAgentHeader: true, DisableHeaderNamesNormalizing: true, DisablePathNormalizing: true,
	}
	server := &fasthttp.Server{
		NoDefaultServerHeader: true, NoDefaultDate: true,
		Handler: func(c *fasthttp.RequestCtx) {
			c.Request.Header.Del("Connection")
			if host, _, err := net.SplitHostPort(c.RemoteAddr().String()); err == nil {
				c.Request.Header.Set("X-Forwarded-For", host)
			}
			if err := client.Do(&c.Request, &c.Response); err != nil {
				c.Error("bad gateway", fasthttp.StatusBadGateway)
				return
			}
			c.Response.Header.Del("Connection")
		},
	}
	return until(ctx, func() error { return server.Serve(ln) }, server.Shutdown)
}

// until serves until ctx ends and then stops.
func until(ctx context.Context, serve, stop func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return stop()
	}
}
