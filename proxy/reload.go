package proxy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gauntlet/proxy/config"
	"gauntlet/proxy/telemetry"
)

// ErrStopping is the error of a Reload that comes after the stop has begun.
var ErrStopping = errors.New("proxy is stopping")

// ErrNoSource is the error of Reread when Parts has no Source.
var ErrNoSource = errors.New("proxy has no file to read its configuration from")

// Reloaded is what a Reload has changed.
type Reloaded struct {
	// Generation counts configurations from 1, the one of New.
	Generation uint64 `json:"generation"`
	// Kept upstreams go on with their connections and breakers; Changed
	// ones were built anew.
	Kept    []string `json:"kept"`
	Changed []string `json:"changed"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	// RoutesBefore and Routes are how many there were and are.
	RoutesBefore int `json:"routes_before"`
	Routes       int `json:"routes"`
}

// live are the settings that may change while the proxy runs, with all below
// them. Whatever is not here is refused: that is right for every setting nobody
// has thought about.
var live = []string{"drain", "limits.body_timeout", "routes", "upstreams"}

// Reload puts cfg in the place of the configuration in force. Requests that
// arrive after it has returned follow cfg; exchanges under way end as they
// began, on the upstreams they began with. No listener and no client connection
// is touched, nor is an upstream whose settings are the same.
//
// A configuration that is refused changes nothing. The error is then an
// *config.Error with every reason, also for settings that cannot change while
// the proxy runs, ErrStopping, or that of a part that could not be built.
// Reload may be called from several goroutines.
func (p *Proxy) Reload(cfg *config.Config) (Reloaded, error) {
	return p.reload(func() (*config.Config, error) { return cfg, nil }, func() error { return nil })
}

// Reread reloads what Parts.Source gives, and the certificates and client
// authorities that it names. What is wrong with any of these is a refusal, too,
// of all of it.
func (p *Proxy) Reread() (Reloaded, error) {
	if p.parts.Source == nil {
		return Reloaded{}, ErrNoSource
	}
	return p.reload(p.parts.Source, p.ReloadCertificates)
}

func (p *Proxy) reload(read func() (*config.Config, error), certificates func() error) (Reloaded, error) {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	began, before := time.Now(), p.current.Load()
	next, err := p.consider(read, certificates, before)
	p.news.Store(p.news.Load().after(err))
	if err != nil {
		p.log.Error("configuration refused", "generation", before.number, "reasons", reasons(err))
		return Reloaded{Generation: before.number}, err
	}
	swap := func() { p.current.Store(next) }
	if p.parts.Swap != nil {
		p.parts.Swap(swap)
	} else {
		swap()
	}
	before.scope.leave()
	done := summary(before, next)
	for _, name := range slices.Concat(done.Changed, done.Removed) {
		before.scope.upstreams[name].Purge() // what is idle will not be used again
	}
	p.log.Info("configuration replaced", "generation", next.number, "routes_before", done.RoutesBefore, "routes", done.Routes,
		"kept", len(done.Kept), "changed", done.Changed, "added", done.Added, "removed", done.Removed, "took", time.Since(began))
	return done, nil
}

// consider builds the generation after before, or says why there is none.
func (p *Proxy) consider(read func() (*config.Config, error), certificates func() error, before *generation) (*generation, error) {
	if p.stopping.Load() || p.base.Err() != nil {
		return nil, ErrStopping
	}
	cfg, err := read()
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if problems := frozen(p.cfg, cfg); len(problems) > 0 {
		return nil, &config.Error{Problems: problems}
	}
	if err := certificates(); err != nil { // last, for they are in use from here on
		return nil, err
	}
	return p.generate(cfg.Clone(), before)
}

// frozen are the differences that only another process can have.
func frozen(running, wanted *config.Config) []config.Problem {
	var problems []config.Problem
	for _, d := range config.Diff(running, wanted) {
		if !slices.ContainsFunc(live, func(root string) bool { return d.Path == root || strings.HasPrefix(d.Path, root+".") }) {
			problems = append(problems, config.Problem{
				Path: d.Path, Got: d.To,
				Want: fmt.Sprintf("%s: it cannot change while the proxy runs; restart or upgrade it", d.From),
			})
		}
	}
	return problems
}

// reasons are the lines of a refusal.
func reasons(err error) []string {
	if e, ok := errors.AsType[*config.Error](err); ok {
		lines := make([]string, len(e.Problems))
		for i, p := range e.Problems {
			lines[i] = p.String()
		}
		return lines
	}
	return []string{err.Error()}
}

func summary(before, next *generation) Reloaded {
	r := Reloaded{
		Generation: next.number, RoutesBefore: len(before.cfg.Routes), Routes: len(next.cfg.Routes),
		Kept: []string{}, Changed: []string{}, Added: []string{}, Removed: []string{},
	}
	for _, name := range slices.Sorted(maps.Keys(next.scope.upstreams)) {
		switch before.scope.upstreams[name] {
		case nil:
			r.Added = append(r.Added, name)
		case next.scope.upstreams[name]:
			r.Kept = append(r.Kept, name)
		default:
			r.Changed = append(r.Changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before.scope.upstreams)) {
		if next.scope.upstreams[name] == nil {
			r.Removed = append(r.Removed, name)
		}
	}
	return r
}

// news is what became of the reloads so far.
type news struct {
	accepted, refused uint64
	ok                bool
	when              time.Time // of the last that was accepted, or of New
}

func (n *news) after(err error) *news {
	next := *n
	if next.ok = err == nil; next.ok {
		next.accepted++
		next.when = time.Now()
	} else {
		next.refused++
	}
	return &next
}

// configState is what metrics say of all this.
func (p *Proxy) configState() telemetry.ConfigState {
	n := p.news.Load()
	return telemetry.ConfigState{
		Generation: p.current.Load().number, InUse: int(p.scopes.Load()),
		Accepted: n.accepted, Refused: n.refused, LastOK: n.ok, LastAccepted: n.when,
	}
}
