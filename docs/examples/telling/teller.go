package main

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A teller counts and logs what a handler does.
type teller struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	inFlight prometheus.Gauge
	attempts prometheus.Counter
	log      *slog.Logger
}

func newTeller(r prometheus.Registerer, log io.Writer) *teller {
	t := &teller{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests that have ended."}, []string{"method", "status"}),
		took:     prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_request_duration_seconds", Help: "How long they took."}, []string{"method"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_requests_in_flight", Help: "Requests under way."}),
		attempts: prometheus.NewCounter(prometheus.CounterOpts{Name: "backend_attempts_total", Help: "Tries on the backend."}),
		log:      slog.New(slog.NewJSONHandler(log, nil)),
	}
	r.MustRegister(t.requests, t.took, t.inFlight, t.attempts)
	return t
}

// around tells of each request when it has ended, also when it ends by the panic
// with which ReverseProxy cuts an answer that its backend did not finish.
func (t *teller) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.inFlight.Inc()
		began, seen := time.Now(), &watched{ResponseWriter: w}
		why := "cut"
		defer func() {
			t.tell(r, seen, time.Since(began), why)
			t.inFlight.Dec()
		}()
		next.ServeHTTP(seen, r)
		why = ""
		if r.Context().Err() != nil {
			why = "client left"
		}
	})
}

func (t *teller) tell(r *http.Request, seen *watched, took time.Duration, why string) {
	method := strings.ToUpper(r.Method)
	if !strings.Contains(" GET HEAD POST PUT DELETE PATCH OPTIONS TRACE ", " "+method+" ") {
		method = "OTHER" // whoever can invent labels can fill a memory
	}
	t.requests.WithLabelValues(method, strconv.Itoa(seen.status)).Inc()
	t.took.WithLabelValues(method).Observe(took.Seconds())
	_, trace, _ := strings.Cut(r.Header.Get("Traceparent"), "-")
	trace, _, _ = strings.Cut(trace, "-")
	t.log.InfoContext(r.Context(), "request", "verb", r.Method, "code", seen.status, "size", seen.size, "took_us", took.Microseconds(), "trace", trace, "why", why)
}

// tries counts each connection on which the transport tries a request, also
// when it tries again by itself.
func (t *teller) tries(r *http.Request) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { t.attempts.Inc() },
	}))
}

// watched notes what is answered.
type watched struct {
	http.ResponseWriter
	status int
	size   int64
}

func (w *watched) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.size += int64(n)
	return n, err
}

// Hijack gives the connection to a handler that has switched protocols on it.
func (w *watched) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.status = http.StatusSwitchingProtocols
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController find what else the writer can do.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
