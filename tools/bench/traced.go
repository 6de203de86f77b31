package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// serveTraced is httputil.ReverseProxy under otelhttp on both sides. Every
// trace is sampled and exported, in batches as the reference proxy's are.
func serveTraced(ctx context.Context, ln net.Listener, s settings) error {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(s.OTLP+"/v1/traces"))
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample()),
		sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(200*time.Millisecond), sdktrace.WithMaxQueueSize(16384), sdktrace.WithMaxExportBatchSize(1024)))
	options := []otelhttp.Option{otelhttp.WithTracerProvider(provider), otelhttp.WithPropagators(propagation.TraceContext{})}
	target := &url.URL{Scheme: "http", Host: s.Backend}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		Transport: otelhttp.NewTransport(transport(), options...),
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: otelhttp.NewHandler(proxy, "proxy", options...)}
	return until(ctx, func() error { return server.Serve(ln) }, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return errors.Join(server.Close(), provider.Shutdown(ctx))
	})
}
