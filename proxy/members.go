package proxy

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"gauntlet/proxy/config"
	"gauntlet/proxy/upstream"
)

// member is an upstream with the settings it was built from. Generations whose
// settings for it are the same share it, with its connections and breakers.
type member struct {
	*upstream.Upstream
	name     string
	cfg      *config.Upstream
	files    digest        // of what cfg names
	fallback *member       // nil: none
	idle     time.Duration // of a tunnel of which one side has ended
	scopes   int           // that have it; guarded by members.mu
}

// members are the upstreams of all generations that are still in use.
type members struct {
	mu   sync.Mutex
	live []*member // by name, the newest first
	past past
}

// joining gives each upstream of a configuration its member.
type joining struct {
	p      *Proxy
	cfg    *config.Config
	old    map[string]*member
	joined map[string]*member
	built  []*member
}

// join gives each upstream of cfg its member: the old one when nothing about it
// has changed, else a new one.
func (p *Proxy) join(cfg *config.Config, old map[string]*member) (map[string]*member, error) {
	j := &joining{p: p, cfg: cfg, old: old, joined: map[string]*member{}}
	for _, name := range slices.Sorted(maps.Keys(cfg.Upstreams)) {
		if _, err := j.member(name); err != nil {
			for _, m := range j.built {
				_ = m.Close() // unused
			}
			return nil, err
		}
	}
	p.members.mu.Lock()
	defer p.members.mu.Unlock()
	for _, m := range j.joined {
		m.scopes++
	}
	p.members.live = append(j.built, p.members.live...)
	slices.SortStableFunc(p.members.live, func(a, b *member) int { return cmp.Compare(a.name, b.name) })
	return j.joined, nil
}

// member builds one that is missing. An upstream whose fallback is built anew
// is, too: what an exchange may still be led to must be of the scope it is in.
func (j *joining) member(name string) (*member, error) {
	if m := j.joined[name]; m != nil {
		return m, nil
	}
	c, m := j.cfg.Upstreams[name], j.old[name]
	var fallback *member
	if c.Fallback != "" {
		var err error
		if fallback, err = j.member(c.Fallback); err != nil { // ends: Validate refuses loops
			return nil, err
		}
	}
	files := digestOf(c.TLS) // before they are read: a later change is seen next time
	if m != nil && reflect.DeepEqual(m.cfg, c) && m.files == files && m.fallback == fallback {
		j.joined[name] = m
		return m, nil
	}
	u, err := j.p.newUpstream(name, c)
	if err != nil {
		return nil, err
	}
	if fallback != nil {
		u.SetFallback(fallback.Upstream)
	}
	m = &member{Upstream: u, name: name, cfg: c, files: files, fallback: fallback, idle: c.Timeouts.BodyIdle}
	j.joined[name], j.built = m, append(j.built, m)
	return m, nil
}

// part closes those that no generation uses any more.
func (p *Proxy) part(set map[string]*member) {
	for _, m := range p.leave(set) {
		if err := m.Close(); err != nil {
			p.log.Warn("upstream closed with an error", "upstream", m.name, "error", err)
		}
	}
}

// leave takes a scope's members off and returns those that nobody has now.
func (p *Proxy) leave(set map[string]*member) []*member {
	p.members.mu.Lock()
	defer p.members.mu.Unlock()
	var unused []*member
	for _, name := range slices.Sorted(maps.Keys(set)) {
		m := set[name]
		if m.scopes--; m.scopes > 0 {
			continue
		}
		i := slices.Index(p.members.live, m)
		if i < 0 {
			continue // the proxy was closed before
		}
		p.members.live = slices.Delete(p.members.live, i, i+1)
		unused = append(unused, m)
		for _, s := range m.Stats() {
			if gone, ok := p.members.past.add(origin{name, s.Endpoint}, counts{s.Pool.Dialed, s.Ejections}, p.members.has); ok {
				p.tel.Forget(gone.upstream, gone.endpoint)
			}
		}
	}
	return unused
}

// has reports whether an upstream in use has the endpoint. The caller holds
// m.mu.
func (m *members) has(o origin) bool {
	return slices.ContainsFunc(m.live, func(u *member) bool {
		return u.name == o.upstream && slices.ContainsFunc(u.cfg.Endpoints, func(e config.Endpoint) bool { return e.Address == o.endpoint })
	})
}

// close closes all of them.
func (m *members) close() []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, u := range m.live {
		errs = append(errs, u.Close())
	}
	m.live = nil
	return errs
}
