package engine_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gauntlet/chaos/process"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/targets"
)

// TestMain also plays the other parts: this binary is the supervisor of every
// test and the target that some of them start.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "supervise":
			if process.Supervise(context.Background(), os.NewFile(process.Control, "control"), os.Args[3:]) != nil {
				os.Exit(1)
			}
			return
		case "target":
			os.Exit(play(os.Args[2], os.Args[3], os.Args[4]))
		}
	}
	goleak.VerifyTestMain(m)
}

// play is a target of its own process, good or bad in the named way, and gives
// its exit code. It serves until SIGTERM, which it announces as a proxy does.
func play(way, listen, backend string) int {
	asked := make(chan os.Signal, 2) // to the end of the process: a second one does not kill it
	signal.Notify(asked, syscall.SIGTERM)
	switch way {
	case "exits":
		fmt.Println("cannot bind: no such device")
		return 4
	case "mute":
		<-asked
		return 0
	}
	l, err := listener(way, listen)
	if err != nil {
		return 5
	}
	forward := forwarder(&http.Transport{}, backend)
	if way == "tells" || way == "lies" {
		forward = tell(forward, way == "lies")
	}
	if way == "reads" {
		forward = reading(backend)
	}
	if way == "hands-over" {
		go handOver(l, listen, backend, asked)
	}
	if way == "takes-over" {
		go reloaded(backend)
	}
	var served atomic.Int64
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("forwards", r.Header.Get(exchange.Header))
		if way == "crashes" && served.Add(1) == 2 {
			fmt.Println("panic: out of luck")
			os.Exit(7)
		}
		forward.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(l) }()
	<-asked
	if server.Shutdown(context.Background()) != nil {
		return 6
	}
	return 0
}

// listener takes over a socket or makes one.
func listener(way, listen string) (net.Listener, error) {
	if way != "takes-over" {
		return net.Listen("tcp", listen)
	}
	f := os.NewFile(3, "socket")
	defer func() { _ = f.Close() }()
	return net.FileListener(f)
}

// handOver gives the socket to a process that tells the backend of it, at
// SIGUSR2, and ends this one. It is only sure to be greeted by somebody.
func handOver(l net.Listener, listen, backend string, asked chan<- os.Signal) {
	upgrade := make(chan os.Signal, 1)
	signal.Notify(upgrade, syscall.SIGUSR2)
	<-upgrade
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		os.Exit(8)
	}
	next := exec.Command(os.Args[0], "target", "takes-over", listen, backend)
	next.Stdout, next.Stderr, next.ExtraFiles = os.Stdout, os.Stderr, []*os.File{f}
	if next.Start() != nil {
		os.Exit(9)
	}
	asked <- syscall.SIGTERM
}

// reloaded asks the backend for /reloaded.
func reloaded(backend string) {
	if resp, err := http.Get("http://" + backend + "/reloaded"); err == nil {
		_ = resp.Body.Close()
	}
}

// reading forwards to the backend that the file names, and reads it again at
// SIGHUP; what is no address changes nothing.
func reading(file string) http.Handler {
	var to atomic.Value
	load := func() {
		text, err := os.ReadFile(file)
		if _, _, bad := net.SplitHostPort(string(text)); err == nil && bad == nil {
			to.Store(string(text))
		}
	}
	load()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	go func() {
		for range asked {
			load()
			reloaded(to.Load().(string))
		}
	}()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forwarder(&http.Transport{DisableKeepAlives: true}, to.Load().(string)).ServeHTTP(w, r)
	})
}

// forwarder is a plain proxy to one backend.
func forwarder(t *http.Transport, backend string) http.Handler {
	return &httputil.ReverseProxy{
		Transport: t,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: backend}) },
	}
}

// own is a target that runs in a process of its own: see play.
type own struct {
	way   string
	ready time.Duration
}

func (o own) Name() string    { return o.way }
func (o own) Version() string { return "" }

func (o own) Plan(w targets.Wants) (*targets.Plan, error) {
	p := &targets.Plan{
		Args: []string{os.Args[0], "target", o.way, w.Listen, strings.Join(w.Backends, ",")}, Dir: w.Dir, Address: w.Listen,
		Env:   []string{"GORACE=atexit_sleep_ms=0"}, // a second at each end
		Ready: targets.Ready{Timeout: o.ready}, Drain: syscall.SIGTERM, Stop: syscall.SIGTERM, Grace: 10 * time.Second,
	}
	if o.way == "tells" || o.way == "lies" {
		p.Telemetry, p.AccessLog, p.Prometheus = []string{"access_log", "metrics"}, "access.log", "http://"+w.Listen+"/metrics"
		p.Says.Meter = evidence.Meter{Requests: "served_total", Code: "code"}
	}
	return p, nil
}

// tell keeps an access log and counts, or counts twice and logs another status.
func tell(next http.Handler, lies bool) http.Handler {
	log, err := os.Create("access.log")
	if err != nil {
		panic(err)
	}
	var served atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			_, _ = fmt.Fprintf(w, "# TYPE served_total counter\nserved_total{code=\"2xx\"} %d\n", served.Load())
			return
		}
		next.ServeHTTP(w, r)
		served.Add(1)
		status := 200
		if lies {
			served.Add(1)
			status = 500
		}
		_, _ = fmt.Fprintf(log, `{"time":%q,"id":%q,"status":%d}`+"\n", time.Now().Format(time.RFC3339Nano), r.Header.Get(exchange.Header), status)
	})
}
