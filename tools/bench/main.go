// Command bench-peers is proxies to measure the reference proxy against, in a
// module of its own so that what they depend on never enters the harness.
// Nothing else may live here.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// settings are what every proxy here is told.
type settings struct {
	Backend string // host:port
	OTLP    string // URL where spans go
}

// keep is how many idle connections to the backend each of them keeps.
const keep = 1024

// proxies serve ln until ctx ends.
var proxies = map[string]func(ctx context.Context, ln net.Listener, s settings) error{
	"fasthttp":      serveFast,
	"httputil-otel": serveTraced,
	"oxy":           serveOxy,
}

func main() {
	var s settings
	listen := flag.String("listen", "127.0.0.1:8080", "host:port to listen on")
	flag.StringVar(&s.Backend, "backend", "127.0.0.1:9001", "host:port of the backend")
	flag.StringVar(&s.OTLP, "otlp", "", "URL of an OTLP/HTTP collector, for the traced ones")
	flag.Parse()
	if err := run(*listen, flag.Arg(0), s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(listen, name string, s settings) error {
	serve, known := proxies[name]
	if !known {
		names := make([]string, 0, len(proxies))
		for n := range proxies {
			names = append(names, n)
		}
		slices.Sort(names)
		return fmt.Errorf("no proxy is named %q; allowed: %s", name, strings.Join(names, ", "))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	return serve(ctx, ln, s)
}
