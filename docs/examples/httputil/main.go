// Command edge is the shortest reverse proxy that the Go standard library
// gives, left at its defaults: what many proxies begin as. It stands here to
// be tested by Gauntlet, not to be used.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// grace is how long requests under way may take once SIGTERM has come.
const grace = 5 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "host:port to listen on")
	backend := flag.String("backend", "127.0.0.1:9001", "host:port of the backend")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	logs := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := serve(ctx, *listen, *backend, logs); err != nil {
		logs.ErrorContext(ctx, "edge ended", "error", err)
		os.Exit(1)
	}
}

// serve forwards everything to the backend until ctx ends, then finishes what
// is under way.
func serve(ctx context.Context, listen, backend string, logs *slog.Logger) error {
	to := &url.URL{Scheme: "http", Host: backend}
	quiet := slog.NewLogLogger(logs.Handler(), slog.LevelWarn)
	server := &http.Server{
		Addr:              listen,
		ErrorLog:          quiet,
		ReadHeaderTimeout: 10 * time.Second,
		Handler: &httputil.ReverseProxy{
			Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to); r.SetXForwarded() },
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
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(last)
	if stopped := <-failed; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	return err
}
