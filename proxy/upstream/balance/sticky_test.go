package balance_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/upstream/balance"
)

// visit makes one choice with the cookies a browser has, and updates them.
func visit(t *testing.T, p balance.Policy, list []*balance.Node, jar map[string]*http.Cookie) int {
	t.Helper()
	r := request()
	for _, c := range jar {
		r.AddCookie(c)
	}
	i := p.Choose(list, r, false)
	resp := http.Response{Header: http.Header{}}
	p.(balance.Marker).Mark(r, list[i], resp.Header)
	for _, c := range resp.Cookies() {
		jar[c.Name] = c
	}
	return i
}

func TestStickyBindsUntilTheNodeIsGone(t *testing.T) {
	p := policy(t, balance.Config{Policy: balance.Sticky, Cookie: balance.Cookie{Name: "at", Path: "/", HTTPOnly: true, MaxAge: 60}})
	list, jar := nodes(1, 1, 1), map[string]*http.Cookie{}
	bound := visit(t, p, list, jar)
	first := jar["at"]
	require.Equal(t, "at="+first.Value+"; Path=/; Max-Age=60; HttpOnly", first.Raw)
	require.Regexp(t, `^[0-9a-f]{32}$`, first.Value)
	for range 10 {
		require.Equal(t, bound, visit(t, p, list, jar))
	}
	require.Same(t, first, jar["at"], "who is bound is told nothing")
	others := map[int]bool{}
	for range 6 {
		others[visit(t, p, list, map[string]*http.Cookie{})] = true
	}
	require.Len(t, others, 3, "who is not is spread")

	rest := []*balance.Node{list[(bound+1)%3], list[(bound+2)%3]}
	again := visit(t, p, rest, jar)
	require.NotEqual(t, first.Value, jar["at"].Value, "bound anew")
	for range 10 {
		require.Equal(t, again, visit(t, p, rest, jar))
	}
	require.Equal(t, (bound+1+again)%3, visit(t, p, list, jar), "the old node is back, and the client stays")
}

// The value depends on the secret, and on nothing that changes.
func TestStickyValues(t *testing.T) {
	value := func(secret string, at int) string {
		p := policy(t, balance.Config{Policy: balance.Sticky, Cookie: balance.Cookie{Name: "at", Secret: secret}})
		h := http.Header{}
		p.(balance.Marker).Mark(request(), nodes(1, 1)[at], h)
		return h.Get("Set-Cookie")
	}
	first, again := value("a", 0), value("a", 0)
	require.Equal(t, first, again)
	require.NotEqual(t, first, value("a", 1))
	require.NotEqual(t, first, value("b", 0))
	random, another := value("", 0), value("", 0)
	require.NotEqual(t, random, another)
}
