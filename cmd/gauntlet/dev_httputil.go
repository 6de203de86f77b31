package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

type devHttputilCmd struct {
	Listen  string `help:"host:port to listen on." required:""`
	Backend string `help:"host:port of the backend." required:""`
	Keep    int    `help:"Idle connections kept to the backend; 0: two, as the standard library has it."`
}

// Help shows an example.
func (devHttputilCmd) Help() string {
	return "Example:\n\n  $ gauntlet dev httputil --listen 127.0.0.1:8080 --backend 127.0.0.1:9001"
}

// Run serves until ctx ends. The proxy is left as the standard library has it,
// but for what Keep changes: it is the baseline that others are compared with.
func (c devHttputilCmd) Run(ctx context.Context, w *world) error {
	target := &url.URL{Scheme: "http", Host: c.Backend}
	quiet := slog.NewLogLogger(slog.NewTextHandler(w.Stderr, nil), slog.LevelWarn)
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		ErrorLog: quiet,
	}
	if c.Keep > 0 {
		t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forbidigo // a copy of it is what a baseline wants
		t.MaxIdleConns, t.MaxIdleConnsPerHost = c.Keep, c.Keep
		proxy.Transport = t
	}
	server := &http.Server{
		Addr:              c.Listen,
		ErrorLog:          quiet,
		ReadHeaderTimeout: 10 * time.Second,
		Handler:           proxy,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(grace)
	if stopped := <-failed; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	return err
}
