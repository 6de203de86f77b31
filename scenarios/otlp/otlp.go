// Package otlp takes the traces, metrics and logs that a target exports, over
// gRPC and HTTP, and reads the spans back as what the target says it did. What
// was received is kept as it came in one sealed file, the target's book. Whether
// the target tells the truth is not judged here.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
)

const (
	defaultMaxBytes = 1 << 30
	maxMessage      = 16 << 20 // bytes of one export, decompressed
	maxConns        = 64
	idleTimeout     = time.Minute
	readTimeout     = 30 * time.Second
)

// A Config says where to listen and what to keep.
type Config struct {
	Path     string // the file to make; it must not exist
	HTTP     string // listen address; "" is 127.0.0.1:0
	GRPC     string // listen address; "" is 127.0.0.1:0
	MaxBytes int64  // of the file; 0 is 1 GiB. What is over is refused and counted.
}

// A Receiver takes exports until it is stopped.
type Receiver struct {
	store   *store
	http    *http.Server
	grpc    *grpc.Server
	web     net.Listener
	rpc     net.Listener
	serving sync.WaitGroup
	stop    sync.Once
	stopped error

	mu    sync.Mutex
	fault error // of serving
}

// Start listens and takes exports. Whoever starts a Receiver stops it; ctx
// bounds only the start.
func Start(ctx context.Context, c Config) (*Receiver, error) {
	s, err := create(c.Path, c.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("start OTLP receiver: %w", err)
	}
	r := &Receiver{store: s}
	if r.web, err = listen(ctx, c.HTTP); err == nil {
		if r.rpc, err = listen(ctx, c.GRPC); err != nil {
			err = errors.Join(err, r.web.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start OTLP receiver: %w", errors.Join(err, s.file.Close()))
	}
	r.http = &http.Server{Handler: webHandler(s), ReadTimeout: readTimeout, WriteTimeout: readTimeout, IdleTimeout: idleTimeout}
	r.grpc = rpcServer(s)
	r.serving.Go(func() {
		if err := r.http.Serve(netutil.LimitListener(r.web, maxConns)); !errors.Is(err, http.ErrServerClosed) {
			r.fail(err)
		}
	})
	r.serving.Go(func() {
		// ErrServerStopped is what a Serve gets that Stop came before.
		if err := r.grpc.Serve(netutil.LimitListener(r.rpc, maxConns)); !errors.Is(err, grpc.ErrServerStopped) {
			r.fail(err)
		}
	})
	return r, nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

func (r *Receiver) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = errors.Join(r.fault, err)
}

// Endpoint is the base URL for exporters over HTTP, without /v1/traces.
func (r *Receiver) Endpoint() string { return "http://" + r.web.Addr().String() }

// GRPC is the host:port for exporters over gRPC, without TLS.
func (r *Receiver) GRPC() string { return r.rpc.Addr().String() }

// Counts says how many exports were taken and refused so far.
func (r *Receiver) Counts() Counts { return r.store.counts() }

// Stop takes what is under way until ctx is done, then closes everything and
// seals the file. It reports an export that could not be kept; the file is then
// not sealed. A second call gives the same answer.
func (r *Receiver) Stop(ctx context.Context) error {
	r.stop.Do(func() {
		err := r.http.Shutdown(ctx)
		if err != nil {
			err = r.http.Close()
		}
		graceful := make(chan struct{})
		r.serving.Go(func() { r.grpc.GracefulStop(); close(graceful) })
		select {
		case <-graceful:
		case <-ctx.Done():
			r.grpc.Stop()
		}
		r.serving.Wait()
		r.stopped = errors.Join(err, r.fault, r.store.seal())
	})
	if r.stopped != nil {
		return fmt.Errorf("stop OTLP receiver: %w", r.stopped)
	}
	return nil
}
