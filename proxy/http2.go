package proxy

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"gauntlet/proxy/edge/clientconn"
)

// buildHTTP2 prepares the server for HTTP/2 connections. It is one of its own
// because net/http sends GOAWAY to all connections of a server in Shutdown
// only, which would close idle HTTP/1 connections (golang/go#65802). What TLS
// there is was dealt with before it gets them, so all of them are "unencrypted"
// to it.
func (p *Proxy) buildHTTP2(handler http.Handler) {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	p.h2 = &http.Server{
		Handler:                      handler,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            p.cfg.Limits.HeaderTimeout, // of the preface
		IdleTimeout:                  p.cfg.Limits.IdleTimeout,
		MaxHeaderBytes:               int(p.cfg.Limits.HeaderBytes),
		Protocols:                    protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: p.cfg.HTTP2.MaxConcurrentStreams,
			MaxReadFrameSize:     16 << 10, // the least there is (RFC 9113 §4.2): a frame is held in memory
		},
		ErrorLog:    slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return p.base },
		ConnContext: clientconn.NewContext,
		ConnState:   p.clients.State,
	}
}

// goAway tells HTTP/2 clients which stream was their last, and has their
// connections end when it has. It may be called again, for those who came
// later.
func (p *Proxy) goAway() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.h2.Shutdown(ended) // only its beginning is wanted; it cannot have finished
}
