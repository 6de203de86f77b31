// Command app is a backend that somebody else wrote: Gauntlet knows nothing of
// it. It answers after 20 ms what it was sent, and ends in order on SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// warm is how long it takes before it accepts connections.
const warm = 300 * time.Millisecond

// calm is how long nobody may have asked for anything before it calls itself idle.
const calm = 500 * time.Millisecond

func main() {
	listen := flag.String("listen", "", "host:port")
	pid := flag.String("pid", "", "file for the process id")
	wait := flag.String("wait", "", "instead: wait until the one at -listen is ready, idle or gone")
	flag.Parse()
	run := serve
	if *wait != "" {
		run = func(listen, _ string) error { return await(listen, *wait) }
	}
	if err := run(*listen, *pid); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(listen, pid string) error {
	var last atomic.Int64 // when work was last under way
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		last.Store(time.Now().UnixNano())
		defer func() { last.Store(time.Now().UnixNano()) }()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond) // the work
		fmt.Fprintf(w, "%s %s took %d bytes\n", r.Method, r.URL.Path, len(body))
	})
	mux.HandleFunc("/-/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/-/idle", func(w http.ResponseWriter, _ *http.Request) {
		if time.Since(time.Unix(0, last.Load())) < calm {
			w.WriteHeader(http.StatusConflict)
		}
	})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := os.WriteFile(pid, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return err
	}
	time.Sleep(warm) // it reads its caches
	server := &http.Server{Addr: listen, Handler: mux}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return server.Shutdown(context.WithoutCancel(ctx))
	}
}

// await asks the app at the address until it is as wanted, for at most 20 s.
func await(listen, how string) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var last error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		res, err := client.Get("http://" + listen + "/-/" + how)
		if how == "gone" {
			if err != nil {
				return nil
			}
			last = fmt.Errorf("it answers %s", res.Status)
		} else if last = err; err == nil && res.StatusCode == http.StatusOK {
			return res.Body.Close()
		}
		if err == nil {
			_ = res.Body.Close()
		}
	}
	return fmt.Errorf("the app at %s is not %s after 20 s: %v", listen, how, last)
}
