package proxy

import (
	"context"
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
	answerJSON(w, status, report)
}

// UpgradeReport is what POST /upgrade answers, as JSON: status 200 when another
// process has taken over, 503 when the proxy is stopping or being upgraded
// already, 500 when the other did not get ready.
type UpgradeReport struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func (p *Proxy) serveUpgrade(w http.ResponseWriter, r *http.Request) {
	err := p.Upgrade(context.WithoutCancel(r.Context())) // an operator who leaves stops nothing
	w.Header().Set("Connection", "close")
	switch {
	case err == nil:
		answerJSON(w, http.StatusOK, UpgradeReport{OK: true})
	case errors.Is(err, ErrStopping), errors.Is(err, ErrUpgrading):
		answerJSON(w, http.StatusServiceUnavailable, UpgradeReport{Error: err.Error()})
	default:
		answerJSON(w, http.StatusInternalServerError, UpgradeReport{Error: err.Error()})
	}
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // fails only when the client has left
}
