package proxy

import (
	"net/http"
)

// serveDrain takes an endpoint out of its upstream (POST) or lets it in again
// (DELETE). Requests that it has are finished; /debug/pool shows when it has
// none left.
func (p *Proxy) serveDrain(w http.ResponseWriter, r *http.Request) {
	name, addr := r.PathValue("upstream"), r.PathValue("endpoint")
	g := p.enter()
	defer g.scope.leave()
	u, ok := g.scope.upstreams[name]
	if !ok {
		http.Error(w, "no upstream is named "+name, http.StatusNotFound)
		return
	}
	if err := u.Drain(addr, r.Method == http.MethodPost); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
