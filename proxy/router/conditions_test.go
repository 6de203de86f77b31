package router_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/router"
)

// is makes conditions of names and values.
func is(pairs ...string) []router.Condition {
	var list []router.Condition
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, router.Condition{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}

// TestPrecedence holds New to the table of the package's comment. Routes are
// given in both orders: it must make no difference.
func TestPrecedence(t *testing.T) {
	routes := []router.Route[string]{
		{Path: "/", Value: "any"},
		{Path: "/", Methods: []string{"GET", "HEAD"}, Value: "method"},
		{Path: "/", Headers: is("x-a", ""), Value: "header"},
		{Path: "/", Headers: is("x-a", "1"), Value: "header value"},
		{Path: "/", Headers: is("x-b", "", "x-a", "1"), Value: "two headers"},
		{Path: "/", Query: is("q", ""), Value: "query"},
		{Path: "/", Query: is("q", "a b"), Value: "query value"},
		{Path: "/", Query: is("deep", "1"), Priority: 5, Value: "priority"},
		{Path: "/long/", Value: "long"},
		{Host: "*.example", Path: "/", Headers: is("x-a", "9"), Value: "host and header"},
		{Host: "api.example", Path: "/v1/", Methods: []string{"POST"}, Value: "host and method"},
	}
	head := func(pairs ...string) map[string][]string {
		h := map[string][]string{}
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
		}
		return h
	}
	for range 2 {
		r, err := router.New(routes)
		require.NoError(t, err)
		for _, c := range []struct {
			req  router.Request
			want string
		}{
			{router.Request{Method: "POST"}, "any"},
			{router.Request{Method: "GET"}, "method"},
			{router.Request{Method: "get"}, "any"},
			{router.Request{Method: "HEAD", Header: head("X-A", "1")}, "method"},
			{router.Request{Method: "PUT", Header: head("X-A", "2")}, "header"},
			{router.Request{Method: "PUT", Header: head("X-A", "1")}, "header value"},
			{router.Request{Method: "PUT", Header: head("X-A", "1", "X-A", "2")}, "header value"},
			{router.Request{Method: "PUT", Header: head("X-A", "2", "X-A", "1")}, "header"},
			{router.Request{Method: "PUT", Header: head("X-A", "1", "X-B", "")}, "two headers"},
			{router.Request{Method: "PUT", Header: head("X-B", "1")}, "any"},
			{router.Request{Method: "PUT", Query: "q"}, "query"},
			{router.Request{Method: "PUT", Query: "q=&q=a+b"}, "query"},
			{router.Request{Method: "PUT", Query: "z=1&&%71=a%20b"}, "query value"},
			{router.Request{Method: "PUT", Query: "q=a%2"}, "query"},
			{router.Request{Method: "PUT", Query: "Q=1"}, "any"},
			{router.Request{Method: "PUT", Query: "q=1", Header: head("X-A", "1")}, "header value"},
			{router.Request{Method: "GET", Query: "deep=1"}, "priority"},
			{router.Request{Method: "GET", Path: "/long/x"}, "long"},
			{router.Request{Method: "GET", Host: "x.example", Header: head("X-A", "9")}, "host and header"},
			{router.Request{Method: "GET", Host: "x.example"}, "method"},
			{router.Request{Method: "GET", Host: "api.example", Path: "/v1/x"}, "method"},
			{router.Request{Method: "POST", Host: "api.example", Path: "/v1/x", Header: head("X-A", "9")}, "host and method"},
		} {
			if c.req.Path == "" {
				c.req.Path = "/"
			}
			got, ok := r.Match(&c.req)
			require.True(t, ok, "%+v", c.req)
			require.Equal(t, c.want, got.Value, "%+v", c.req)
		}
		for i, j := 0, len(routes)-1; i < j; i, j = i+1, j-1 {
			routes[i], routes[j] = routes[j], routes[i]
		}
	}
}

func TestRefused(t *testing.T) {
	get, post := []string{"GET"}, []string{"POST"}
	many := make([]router.Condition, 9)
	for i := range many {
		many[i].Name = fmt.Sprint("x", i)
	}
	for name, c := range map[string]struct {
		routes []router.Route[int]
		want   string
		err    error
	}{
		"twice":            {[]router.Route[int]{{Host: "A.example", Path: "/"}, {Host: "a.example", Path: "/"}}, "route 1: duplicate route (with route 0)", router.ErrDuplicate},
		"header twice":     {[]router.Route[int]{{Path: "/", Headers: is("A", "1")}, {Path: "/", Headers: is("a", "1")}}, "route 1: duplicate route (with route 0)", router.ErrDuplicate},
		"order of headers": {[]router.Route[int]{{Path: "/", Headers: is("A", "1", "B", "2")}, {Path: "/", Headers: is("b", "2", "a", "1")}}, "route 1: duplicate route (with route 0)", router.ErrDuplicate},
		"method twice":     {[]router.Route[int]{{Path: "/", Methods: []string{"PUT", "GET"}}, {Path: "/", Methods: []string{"GET", "PUT"}}}, "route 1: duplicate route (with route 0)", router.ErrDuplicate},
		"methods meet":     {[]router.Route[int]{{Path: "/", Methods: []string{"PUT", "GET"}}, {Path: "/", Methods: get}}, "route 1: ambiguous route (with route 0)", router.ErrAmbiguous},
		"other header":     {[]router.Route[int]{{Path: "/", Headers: is("a", "1")}, {Path: "/", Headers: is("b", "1")}}, "route 1: ambiguous route (with route 0)", router.ErrAmbiguous},
		"other parameter":  {[]router.Route[int]{{Path: "/", Query: is("a", "1")}, {Path: "/", Query: is("A", "1")}}, "route 1: ambiguous route (with route 0)", router.ErrAmbiguous},
		"third parameter": {[]router.Route[int]{
			{Path: "/", Query: is("a", "1", "b", "1")}, {Path: "/", Query: is("a", "2", "c", "1")}, {Path: "/", Query: is("a", "1", "c", "1")},
		}, "route 2: ambiguous route (with route 0)", router.ErrAmbiguous},
		"too many": {[]router.Route[int]{{Path: "/", Headers: many}}, "route 0: too many conditions", router.ErrTooMany},
		"two problems": {
			[]router.Route[int]{{Path: "/"}, {Path: "/"}, {Path: "/x"}, {Path: "/x"}},
			"route 1: duplicate route (with route 0)\nroute 3: duplicate route (with route 2)", router.ErrDuplicate,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := router.New(c.routes)
			require.ErrorIs(t, err, c.err)
			require.EqualError(t, err, c.want)
		})
	}
	for name, routes := range map[string][]router.Route[int]{
		"methods differ":    {{Path: "/", Methods: get}, {Path: "/", Methods: post}},
		"values differ":     {{Path: "/", Headers: is("a", "1", "b", "1")}, {Path: "/", Headers: is("a", "2", "c", "1")}},
		"priority differs":  {{Path: "/", Headers: is("a", "1")}, {Path: "/", Headers: is("b", "1"), Priority: 1}},
		"one says a value":  {{Path: "/", Headers: is("a", "1")}, {Path: "/", Headers: is("b", "")}},
		"one says a method": {{Path: "/", Headers: is("a", "1")}, {Path: "/", Headers: is("b", "1"), Methods: get}},
	} {
		_, err := router.New(routes)
		require.NoError(t, err, name)
	}
}

// TestShapesAreBounded: what one request costs must not grow with the file.
func TestShapesAreBounded(t *testing.T) {
	var routes []router.Route[int]
	for i := range 33 {
		routes = append(routes, router.Route[int]{Path: "/", Headers: is(fmt.Sprint("X", i), "1"), Priority: i})
	}
	_, err := router.New(routes[:32])
	require.NoError(t, err)
	_, err = router.New(routes)
	require.EqualError(t, err, "route 32: too many conditions")
}

// TestManyAmbiguities ends, with the first hundred or so.
func TestManyAmbiguities(t *testing.T) {
	var routes []router.Route[int]
	for i := range 2000 {
		routes = append(routes, router.Route[int]{Path: "/", Headers: is([]string{"a", "b"}[i%2], fmt.Sprint(i))})
	}
	_, err := router.New(routes)
	var problems *router.Error
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems.Problems, 100)
}

// TestSplit: shares are exact in the long run and nobody waits long for the
// next turn.
func TestSplit(t *testing.T) {
	one := router.NewSplit(router.Share{Name: "a", Weight: 3})
	require.Equal(t, "a", one.Next())
	s := router.NewSplit(router.Share{Name: "a", Weight: 90}, router.Share{Name: "b", Weight: 9}, router.Share{Name: "c", Weight: 1})
	require.Equal(t, []string{"a", "b", "c"}, s.Names())
	counts, since := map[string]int{}, 0
	for range 10_000 {
		name := s.Next()
		counts[name]++
		if since++; name == "b" {
			since = 0
		}
		require.Less(t, since, 40, "one in eleven has its turn")
	}
	require.InDelta(t, 9000, counts["a"], 5)
	require.InDelta(t, 900, counts["b"], 5)
	require.InDelta(t, 100, counts["c"], 5)
}
