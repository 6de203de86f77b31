package balance

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
)

// Cookie describes what sticky gives to clients.
type Cookie struct {
	Name     string
	Path     string
	MaxAge   int // seconds; 0: until the browser ends
	HTTPOnly bool
	Secure   bool
	// Secret keys the hash from an address to a value. Proxies that share
	// clients must share it; empty: a random one, so that a restart binds
	// every client anew.
	Secret string
}

// ErrCookieName is returned by New.
var ErrCookieName = errors.New("balance policy sticky: the cookie needs a name")

// sticky binds a client to the node that served it first, by a cookie whose
// value is a keyed hash of the address: it tells nobody where the node is, and
// nobody can make one up. When the node is not to be had, another is chosen and
// the client bound to that. The cookie is forwarded like any other.
type sticky struct {
	cookie Cookie
	secret []byte
	first  weighted // for those not bound yet
}

var _ Marker = (*sticky)(nil)

func newSticky(c Cookie) (*sticky, error) {
	if c.Name == "" {
		return nil, ErrCookieName
	}
	s := &sticky{cookie: c, secret: []byte(c.Secret)}
	if c.Secret == "" {
		s.secret = make([]byte, 32)
		_, _ = rand.Read(s.secret) // never fails
	}
	return s, nil
}

// Choose implements Policy.
func (s *sticky) Choose(nodes []*Node, req *http.Request, again bool) int {
	if value, ok := cookie(req.Header, s.cookie.Name); ok {
		for i, n := range nodes {
			if s.token(n) == value {
				return i
			}
		}
	}
	return s.first.Choose(nodes, req, again)
}

// Counts implements Policy.
func (*sticky) Counts() bool { return false }

// Mark implements Marker.
func (s *sticky) Mark(req *http.Request, n *Node, h http.Header) {
	token := s.token(n)
	if value, ok := cookie(req.Header, s.cookie.Name); ok && value == token {
		return
	}
	h.Add("Set-Cookie", (&http.Cookie{
		Name: s.cookie.Name, Value: token, Path: s.cookie.Path, MaxAge: s.cookie.MaxAge,
		HttpOnly: s.cookie.HTTPOnly, Secure: s.cookie.Secure,
	}).String())
}

func (s *sticky) token(n *Node) string {
	n.once.Do(func() {
		mac := hmac.New(sha256.New, s.secret)
		mac.Write([]byte(n.address))
		n.token = hex.EncodeToString(mac.Sum(nil)[:16])
	})
	return n.token
}
