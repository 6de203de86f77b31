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
}

// Help shows an example.
func (devHttputilCmd) Help() string {
	return "Example:\n\n  $ gauntlet dev httputil --listen 127.0.0.1:8080 --backend 127.0.0.1:9001"
}

// Run serves until ctx ends. The proxy is left as the standard library has it:
// it is the baseline that others are compared with.
func (c devHttputilCmd) Run(ctx context.Context, w *world) error {
	target := &url.URL{Scheme: "http", Host: c.Backend}
	quiet := slog.NewLogLogger(slog.NewTextHandler(w.Stderr, nil), slog.LevelWarn)
	server := &http.Server{
		Addr:              c.Listen,
		ErrorLog:          quiet,
		ReadHeaderTimeout: 10 * time.Second,
		Handler: &httputil.ReverseProxy{
			Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
			ErrorLog: quiet,
		},
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
