package proxy

import (
	"encoding/json"
	"errors"
	"net/http"

	"gauntlet/proxy/config"
)

// ReloadReport is what POST /reload answers, as JSON: status 200 when the
// configuration was replaced, 422 when it was refused, 503 when the proxy is
// stopping.
type ReloadReport struct {
	OK       bool             `json:"ok"`
	Reloaded Reloaded         `json:"reloaded,omitzero"`
	Problems []config.Problem `json:"problems,omitempty"`
	Error    string           `json:"error,omitempty"` // where it is no problem of the file
}

func (p *Proxy) serveReload(w http.ResponseWriter, _ *http.Request) {
	done, err := p.Reread()
	report, status := ReloadReport{OK: err == nil, Reloaded: done}, http.StatusOK
	if err != nil {
		report.Reloaded = Reloaded{}
		status = http.StatusUnprocessableEntity
		if errors.Is(err, ErrStopping) {
			status = http.StatusServiceUnavailable
		}
		if e, ok := errors.AsType[*config.Error](err); ok {
			report.Problems = e.Problems
		} else {
			report.Error = err.Error()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(report) // fails only when the client has left
}
