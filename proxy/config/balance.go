package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Balance says which endpoint gets a request.
type Balance struct {
	// Policy is one of Policies: round-robin takes turns; weighted takes them
	// in proportion to the weights, evenly spread; least-connections takes
	// the endpoint with the fewest exchanges for its weight; p2c the better of
	// two drawn at random; hash always the same one for the same key; sticky
	// binds a client by a cookie to the endpoint that served it first.
	Policy string `yaml:"policy"`
	// Key is what hash hashes: header:NAME, cookie:NAME, client (the address)
	// or path. Requests without it take turns.
	Key string `yaml:"key"`
	// Epsilon is by how much hash lets the load of an endpoint exceed its
	// fair share before it takes the key's next one; 0 sets no bound.
	Epsilon float64      `yaml:"epsilon"`
	Cookie  StickyCookie `yaml:"cookie"`
}

// StickyCookie is the cookie of sticky. Its value is a keyed hash of the
// endpoint's address.
type StickyCookie struct {
	Name string `yaml:"name"`
	Path string `yaml:"path"`
	// MaxAge is how long a browser keeps it; 0 until it ends.
	MaxAge   time.Duration `yaml:"max_age"`
	HTTPOnly bool          `yaml:"http_only"`
	Secure   bool          `yaml:"secure"`
	// Secret keys the hash. Proxies that share clients must share it; empty
	// is a random one, so that a restart binds every client anew.
	Secret string `yaml:"secret"`
}

// Policies lists the balance policies, sorted.
func Policies() []string {
	return []string{"hash", "least-connections", "p2c", "round-robin", "sticky", "weighted"}
}

func (b *Balance) check(k *checker, at string, endpoints []Endpoint) {
	if !slices.Contains(Policies(), b.Policy) {
		k.add(at+".balance.policy", quote(b.Policy), "one of "+strings.Join(Policies(), ", "))
	}
	for i, e := range endpoints {
		path := fmt.Sprintf("%s.endpoints[%d].weight", at, i)
		if number(k, path, e.Weight, 1, 1000); b.Policy == "round-robin" && e.Weight > 1 && e.Weight <= 1000 {
			k.add(path, fmt.Sprint(e.Weight), "1, or another balance.policy than round-robin, which knows no weights")
		}
	}
	kind, name, named := strings.Cut(b.Key, ":")
	switch {
	case kind == "header" && isToken(name), kind == "cookie" && isToken(name), (kind == "client" || kind == "path") && !named:
	default:
		k.add(at+".balance.key", quote(b.Key), "header:NAME, cookie:NAME, client or path")
	}
	number(k, at+".balance.epsilon", b.Epsilon, 0, 10)
	c := b.Cookie
	if !isToken(c.Name) {
		k.add(at+".balance.cookie.name", quote(c.Name), "a cookie name")
	}
	if !strings.HasPrefix(c.Path, "/") || strings.ContainsFunc(c.Path, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ';' }) {
		k.add(at+".balance.cookie.path", quote(c.Path), "a path that begins with /")
	}
	duration(k, at+".balance.cookie.max_age", c.MaxAge, 0, 400*24*time.Hour)
	if c.MaxAge%time.Second != 0 {
		k.add(at+".balance.cookie.max_age", c.MaxAge.String(), "whole seconds")
	}
}
