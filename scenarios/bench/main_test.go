package bench_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"gauntlet/chaos/process"
	"gauntlet/scenarios/bench"
	"gauntlet/scenarios/targets"
)

// TestMain also plays the other parts: this binary is the supervisor and the
// proxies that are measured.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "supervise":
			if process.Supervise(context.Background(), os.NewFile(process.Control, "control"), os.Args[3:]) != nil {
				os.Exit(1)
			}
			return
		case "proxy":
			fmt.Println(play(os.Args[2], os.Args[3], os.Args[4]))
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m)
}

// play is a proxy, good or wrong in the named way, until it is killed.
func play(way, listen, backend string) error {
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: backend}) }}
	switch way {
	case "exits":
		return http.ErrServerClosed
	case "chunked":
		proxy.ModifyResponse = func(r *http.Response) error {
			r.ContentLength = -1
			r.Header.Del("Content-Length")
			return nil
		}
	case "wrong":
		proxy.ModifyResponse = func(r *http.Response) error { r.StatusCode = http.StatusTeapot; return nil }
	case "closes":
		proxy.ModifyResponse = func(r *http.Response) error { r.Header.Set("Connection", "close"); return nil }
	}
	return http.ListenAndServe(listen, proxy) //nolint:gosec // for a test on loopback
}

// contestant is a proxy of its own process: see play.
func contestant(way string) bench.Contestant {
	return bench.Contestant{Name: way, Plan: func(w targets.Wants) (*targets.Plan, error) {
		return &targets.Plan{Args: []string{os.Args[0], "proxy", way, w.Listen, w.Backends[0]}, Dir: w.Dir, Address: w.Listen, Stop: syscall.SIGTERM}, nil
	}}
}
