// Command telling is the reverse proxy of the Go standard library with what
// people put around it to see it at work: metrics for Prometheus and an access
// log in JSON. It stands here to be held to its word by Gauntlet.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// grace is how long requests under way may take once SIGTERM has come.
const grace = 5 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "host:port to listen on")
	backend := flag.String("backend", "127.0.0.1:9001", "host:port of the backend")
	admin := flag.String("admin", "127.0.0.1:8081", "host:port of the metrics")
	log := flag.String("log", "access.log", "file of the access log")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, *listen, *backend, *admin, *log); err != nil {
		slog.ErrorContext(ctx, "telling ended", "error", err)
		os.Exit(1)
	}
}

// serve forwards everything to the backend until ctx ends, then finishes what
// is under way.
func serve(ctx context.Context, listen, backend, admin, log string) error {
	lines, err := os.Create(log)
	if err != nil {
		return err
	}
	figures, err := net.Listen("tcp", admin) // before the proxy listens: who finds it ready finds its metrics
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	tells := newTeller(registry, lines)
	to := &url.URL{Scheme: "http", Host: backend}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.SetXForwarded(); r.Out = tells.tries(r.Out) },
	}
	public := &http.Server{Addr: listen, ReadHeaderTimeout: 10 * time.Second, Handler: tells.around(proxy)}
	private := &http.Server{ReadHeaderTimeout: time.Second, Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
	failed := make(chan error, 2)
	go func() { failed <- private.Serve(figures) }()
	go func() { failed <- public.ListenAndServe() }()
	select {
	case err = <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err = errors.Join(public.Shutdown(last), private.Close())
	for range 2 {
		if stopped := <-failed; !errors.Is(stopped, http.ErrServerClosed) {
			err = errors.Join(err, stopped)
		}
	}
	return errors.Join(err, lines.Close())
}
