package otlp

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

// webHandler serves OTLP over HTTP (OTLP specification 1.x, "OTLP/HTTP").
func webHandler(s *store) http.Handler {
	m := http.NewServeMux()
	m.Handle("POST /v1/traces", take(s, traces, func() proto.Message { return new(tracespb.ExportTraceServiceRequest) }, &tracespb.ExportTraceServiceResponse{}))
	m.Handle("POST /v1/metrics", take(s, metrics, func() proto.Message { return new(metricspb.ExportMetricsServiceRequest) }, &metricspb.ExportMetricsServiceResponse{}))
	m.Handle("POST /v1/logs", take(s, logs, func() proto.Message { return new(logspb.ExportLogsServiceRequest) }, &logspb.ExportLogsServiceResponse{}))
	return m
}

func take(s *store, kind signal, request func() proto.Message, response proto.Message) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || media != typeProto && media != typeJSON {
			answer(w, typeProto, http.StatusUnsupportedMediaType, status.Newf(codes.InvalidArgument, "content type %.60q; allowed: %s, %s", media, typeProto, typeJSON).Proto())
			return
		}
		body, code, err := read(w, r)
		if err != nil {
			answer(w, media, code, status.New(codes.InvalidArgument, err.Error()).Proto())
			return
		}
		payload, err := decode(media, body, request())
		if err != nil {
			answer(w, media, http.StatusBadRequest, status.New(codes.InvalidArgument, err.Error()).Proto())
			return
		}
		if err := s.keep(kind, payload); err != nil {
			answer(w, media, http.StatusInsufficientStorage, status.New(codes.ResourceExhausted, err.Error()).Proto())
			return
		}
		if kind == traces {
			answer(w, media, http.StatusOK, taken(payload))
			return
		}
		answer(w, media, http.StatusOK, response)
	}
}

// taken is the answer to an export of spans that was kept, all or in part.
func taken(export []byte) *tracespb.ExportTraceServiceResponse {
	n := nameless(export)
	if n == 0 {
		return &tracespb.ExportTraceServiceResponse{}
	}
	return &tracespb.ExportTraceServiceResponse{PartialSuccess: &tracespb.ExportTracePartialSuccess{RejectedSpans: n, ErrorMessage: whyNameless}}
}

var errTooLarge = fmt.Errorf("an export is limited to %d bytes", maxMessage)

// read gives the request's body, decompressed and bounded, or the status that
// refuses it.
func read(w http.ResponseWriter, r *http.Request) ([]byte, int, error) {
	var src io.Reader = http.MaxBytesReader(w, r.Body, maxMessage)
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(src)
		if err != nil {
			return nil, http.StatusBadRequest, fmt.Errorf("gzip: %w", err)
		}
		src = z
	default:
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("content encoding %.60q; allowed: gzip, identity", enc)
	}
	b, err := io.ReadAll(io.LimitReader(src, maxMessage+1))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over), err == nil && len(b) > maxMessage:
		return nil, http.StatusRequestEntityTooLarge, errTooLarge
	case err != nil:
		return nil, http.StatusBadRequest, err
	}
	return b, 0, nil
}

// decode checks an export and gives it as protobuf.
func decode(media string, body []byte, into proto.Message) ([]byte, error) {
	if media == typeProto {
		return body, proto.Unmarshal(body, into)
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, into); err != nil {
		return nil, err
	}
	if err := unhex(into.ProtoReflect()); err != nil {
		return nil, err
	}
	return proto.Marshal(into)
}

// answer writes a message in the encoding that the exporter speaks.
func answer(w http.ResponseWriter, media string, code int, m proto.Message) {
	var b []byte
	var err error
	if media == typeJSON {
		b, err = protojson.Marshal(m)
	} else {
		b, err = proto.Marshal(m)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(code)
	_, _ = w.Write(b) // an exporter that has left gets nothing
}
