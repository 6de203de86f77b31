// Package otlp receives what a target tells of itself over OTLP and reads it
// back: it keeps every export request as it came, in a file that belongs to the
// evidence, and turns spans into the attempts that expectations speak of. It
// does not judge them.
package otlp

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// ErrFormat is wrapped by errors about a spans file's content.
var ErrFormat = errors.New("not a spans file of this version")

const (
	magic     = "gauntlet spans 1\n"
	seal      = ^uint32(0)
	maxExport = 16 << 20 // bytes of one export request, decompressed
)

// Config says where to receive and where to keep.
type Config struct {
	Path     string // of the spans file; it must not exist
	HTTP     string // host:port to listen on; "" means 127.0.0.1:0
	MaxBytes int64  // of the file; beyond it exports are refused and the book is incomplete; 0 means 1 GiB
}

// A Receiver is an OTLP/HTTP endpoint. Whoever started it stops it.
type Receiver struct {
	listener net.Listener
	server   *http.Server
	served   sync.WaitGroup
	max      int64

	mu      sync.Mutex
	file    *os.File
	out     *bufio.Writer
	size    int64
	kept    uint64 // requests
	refused uint64
	err     error
	closed  bool
}

// Start makes the file and listens.
func Start(_ context.Context, cfg Config) (*Receiver, error) {
	if cfg.HTTP == "" {
		cfg.HTTP = "127.0.0.1:0"
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 1 << 30
	}
	f, err := os.OpenFile(cfg.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("spans file: %w", err)
	}
	r := &Receiver{file: f, out: bufio.NewWriterSize(f, 64<<10), max: cfg.MaxBytes}
	if _, err := r.out.WriteString(magic); err != nil {
		return nil, fmt.Errorf("spans file: %w", errors.Join(err, f.Close()))
	}
	if r.listener, err = net.Listen("tcp", cfg.HTTP); err != nil {
		return nil, fmt.Errorf("span receiver: %w", errors.Join(err, f.Close()))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", r.traces)
	mux.HandleFunc("POST /v1/metrics", accept)
	mux.HandleFunc("POST /v1/logs", accept)
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second}
	r.served.Go(func() {
		if err := r.server.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
			r.fail(err)
		}
	})
	return r, nil
}

// Endpoint is the URL of the receiver, without a path.
func (r *Receiver) Endpoint() string { return "http://" + r.listener.Addr().String() }

// Stop lets requests under way finish, seals the file and closes it.
func (r *Receiver) Stop(ctx context.Context) error {
	err := r.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, r.server.Close())
	}
	r.served.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return r.err
	}
	r.closed = true
	if r.err == nil && err == nil {
		var end [20]byte
		binary.BigEndian.PutUint32(end[:], seal)
		binary.BigEndian.PutUint64(end[4:], r.kept)
		binary.BigEndian.PutUint64(end[12:], r.refused)
		_, r.err = r.out.Write(end[:])
	}
	r.err = errors.Join(r.err, err, r.out.Flush(), r.file.Close())
	if r.err != nil {
		return fmt.Errorf("span receiver: %w", r.err)
	}
	return nil
}

func (r *Receiver) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
}

// traces takes one export (OTLP 1.x §OTLP/HTTP): protobuf or JSON, plain or
// gzip.
func (r *Receiver) traces(w http.ResponseWriter, req *http.Request) {
	raw, status, err := body(req)
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	kind := strings.TrimSpace(strings.Split(req.Header.Get("Content-Type"), ";")[0])
	var export collector.ExportTraceServiceRequest
	switch kind {
	case "application/x-protobuf":
		err = proto.Unmarshal(raw, &export)
	case "application/json":
		err = fromJSON(raw, &export)
	default:
		http.Error(w, "allowed: application/x-protobuf, application/json", http.StatusUnsupportedMediaType)
		return
	}
	if err != nil {
		http.Error(w, "malformed export: "+err.Error(), http.StatusBadRequest)
		return
	}
	if kind == "application/json" {
		if raw, err = proto.Marshal(&export); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	if !r.keep(raw) {
		http.Error(w, "the receiver is full", http.StatusTooManyRequests)
		return
	}
	w.Header().Set("Content-Type", kind)
	if kind == "application/json" {
		_, _ = io.WriteString(w, "{}") // an empty response says that all was taken
	}
}

// accept takes what is not read yet: metrics and logs.
func accept(w http.ResponseWriter, req *http.Request) {
	if _, status, err := body(req); err != nil {
		http.Error(w, err.Error(), status)
	}
}

func body(req *http.Request) (raw []byte, status int, err error) {
	src := io.Reader(req.Body)
	switch req.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		if src, err = gzip.NewReader(req.Body); err != nil {
			return nil, http.StatusBadRequest, err
		}
	default:
		return nil, http.StatusUnsupportedMediaType, errors.New("allowed encodings: gzip, identity")
	}
	raw, err = io.ReadAll(io.LimitReader(src, maxExport+1))
	if err != nil {
		return nil, http.StatusBadRequest, err
	}
	if len(raw) > maxExport {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("export of more than %d bytes", maxExport)
	}
	return raw, 0, nil
}

// keep appends one export request and reports whether there was room.
func (r *Receiver) keep(raw []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.err != nil {
		return false
	}
	if r.size += int64(len(raw)) + 4; r.size > r.max {
		r.refused++
		return false
	}
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(raw)))
	_, err := r.out.Write(n[:])
	if err == nil {
		_, err = r.out.Write(raw)
	}
	r.err = err
	r.kept++
	return err == nil
}
