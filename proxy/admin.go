package proxy

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/pprof"

	"gauntlet/proxy/telemetry"
	"gauntlet/proxy/upstream/breaker"
)

// adminHandler is the admin listener: what operators and balancers ask.
func (p *Proxy) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.tel.Handler())
	mux.HandleFunc("GET /healthz", p.serveHealth)
	mux.HandleFunc("GET /debug/pool", p.servePools)
	mux.HandleFunc("POST /upstreams/{upstream}/endpoints/{endpoint}/drain", p.serveDrain)
	mux.HandleFunc("DELETE /upstreams/{upstream}/endpoints/{endpoint}/drain", p.serveDrain)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	if p.parts.Source != nil {
		mux.HandleFunc("POST /reload", p.serveReload)
	}
	if p.parts.Successor != nil {
		mux.HandleFunc("POST /upgrade", p.serveUpgrade)
	}
	// No page in an operator's browser may do what the operator may.
	return http.NewCrossOriginProtection().Handler(mux)
}

// Gatherer gives the metrics to a program that embeds the proxy, also after
// its end.
func (p *Proxy) Gatherer() telemetry.Gatherer { return p.tel.Gatherer() }

// serveHealth is readiness: 503 from the moment the stop begins.
func (p *Proxy) serveHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if p.stopping.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "draining\n")
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

// PoolReport is what /debug/pool answers, as JSON.
type PoolReport struct {
	Draining    bool           `json:"draining"`
	InFlight    int64          `json:"in_flight"`   // exchanges
	Connections int            `json:"connections"` // of clients
	Spliced     int64          `json:"spliced"`     // bytes of bodies that passed within the kernel, of exchanges that have ended
	Endpoints   []EndpointPool `json:"endpoints"`   // by upstream, in configured order
}

// EndpointPool is the state of one endpoint. Idle, leased and dialing add up
// to its connections; waiting counts requests in the queue for one.
type EndpointPool struct {
	Upstream string `json:"upstream"`
	Endpoint string `json:"endpoint"`
	Idle     int    `json:"idle"`
	Leased   int    `json:"leased"`
	Waiting  int    `json:"waiting"`
	Dialing  int    `json:"dialing"`
	Dialed   uint64 `json:"dialed"`  // since the start
	Breaker  string `json:"breaker"` // closed, half-open, open or none
	State    string `json:"state"`   // live, ejected, unhealthy or draining
	// Weight is its share relative to the others', as it counts now.
	Weight    float64 `json:"weight"`
	Ejections uint64  `json:"ejections"` // since the start
}

// Pools reports the pools as /debug/pool does.
func (p *Proxy) Pools() PoolReport {
	r := PoolReport{
		Draining: p.stopping.Load(), InFlight: p.inflight.Load(), Connections: p.clients.Len(), Spliced: p.pipes.Moved(),
		Endpoints: []EndpointPool{},
	}
	for _, s := range p.poolStates() {
		e := EndpointPool{
			Upstream: s.Upstream, Endpoint: s.Endpoint, Idle: s.Idle, Leased: s.Leased,
			Waiting: s.Waiting, Dialing: s.Dialing, Dialed: s.Dialed, Breaker: "none",
			State: s.State, Weight: s.Weight, Ejections: s.Ejections,
		}
		if s.Breaker >= 0 {
			e.Breaker = breaker.State(s.Breaker).String()
		}
		r.Endpoints = append(r.Endpoints, e)
	}
	return r
}

func (p *Proxy) servePools(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(p.Pools()) // fails only when the client has left
}
