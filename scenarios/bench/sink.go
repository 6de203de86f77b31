package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// A sink takes spans by OTLP over HTTP and counts them.
type sink struct {
	url    string
	spans  atomic.Int64
	server *http.Server
	done   sync.WaitGroup
	failed error
}

// maxExport bounds one export.
const maxExport = 64 << 20

func newSink() (*sink, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("span sink: %w", err)
	}
	s := &sink{url: "http://" + ln.Addr().String()}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: patience, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn)}
	s.done.Go(func() {
		if err := s.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			s.failed = fmt.Errorf("span sink: %w", err)
		}
	})
	return s, nil
}

func (s *sink) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // an exporter is gone in mid-export
		err = s.server.Close()
	}
	s.done.Wait()
	return errors.Join(err, s.failed)
}

// slowly is the path below which nothing is answered.
const slowly = "/slow"

// ServeHTTP answers an export with the empty message that means success, or
// below slowly not at all.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxExport))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(r.URL.Path, slowly+"/") {
		<-r.Context().Done()
		return
	}
	s.spans.Add(int64(countSpans(body)))
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// countSpans counts resource_spans.scope_spans.spans (opentelemetry-proto
// trace.proto: fields 1, 2 and 2) without decoding any.
func countSpans(message []byte) (n int) {
	each(message, 1, func(resource []byte) {
		each(resource, 2, func(scope []byte) {
			each(scope, 2, func([]byte) { n++ })
		})
	})
	return n
}

// each calls f with every embedded message of that field.
func each(message []byte, field protowire.Number, f func([]byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		size := protowire.ConsumeFieldValue(number, kind, message)
		if size < 0 {
			return
		}
		if number == field && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			f(value)
		}
		message = message[size:]
	}
}
