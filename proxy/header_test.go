package proxy_test

import (
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRequestHead is the table of what becomes of a request's head on its way
// upstream. A line that begins with - must not be there.
func TestRequestHead(t *testing.T) {
	for name, c := range map[string]struct{ send, want string }{
		"end to end stays": {
			"X-A: 1\nX-A: 2\nCookie: a=1; b=2\nAuthorization: Basic x\nAccept-Encoding: gzip\n",
			"X-A: 1\nX-A: 2\nCookie: a=1; b=2\nAuthorization: Basic x\nAccept-Encoding: gzip\n-User-Agent",
		},
		"hop by hop goes": {
			"Keep-Alive: timeout=5\nProxy-Connection: keep-alive\nTE: gzip\nUpgrade: foo\nProxy-Authorization: x\n",
			"-Keep-Alive\n-Proxy-Connection\n-Te\n-Upgrade\n-Proxy-Authorization\n-Connection",
		},
		"named by Connection": {
			"Connection: close, X-Hop\nConnection:  x-other \nX-Hop: 1\nX-Other: 2\nX-Stay: 3\n",
			"-X-Hop\n-X-Other\n-Connection\nX-Stay: 3",
		},
		"Connection takes not ours": {
			"Connection: X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, Via, Traceparent\nX-Forwarded-For: 6.6.6.6\n",
			"X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: example\nX-Forwarded-Proto: http\nVia: 1.1 gauntlet",
		},
		"Connection takes not Host or framing": {
			"Connection: Host, Content-Length, Transfer-Encoding\nContent-Length: 2\n",
			"Host: example\nContent-Length: 2",
		},
		"forwarded chain":  {"X-Forwarded-For: 10.0.0.1\nX-Forwarded-For: 10.0.0.2\nVia: 1.0 old\n", "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 127.0.0.1\nVia: 1.0 old\nVia: 1.1 gauntlet"},
		"forwarded forged": {"X-Forwarded-Proto: https\nX-Forwarded-Host: evil\n", "X-Forwarded-Proto: http\nX-Forwarded-Host: example"},
		"TE trailers":      {"TE: gzip, trailers\nConnection: TE\n", "Te: trailers\nConnection: TE"},
		"trace context":    {"traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\ntracestate: a=b\nbaggage: k=v\n", "Tracestate: a=b\nBaggage: k=v"},
		"bad traceparent":  {"traceparent: zz\ntracestate: a=b\n", "-Tracestate"},
	} {
		t.Run(name, func(t *testing.T) {
			heads := make(chan string, 1)
			r := start(t, backend(t, func(w *wire) {
				heads <- w.head()
				w.send("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
			}))
			cl := r.dial()
			body := ""
			if strings.Contains(c.send, "Content-Length: 2") {
				body = "hi"
			}
			cl.send("PUT / HTTP/1.1\nHost: example\n" + c.send + "\n" + body)
			cl.response("PUT")
			got := strings.Split(take(t, heads), "\r\n")
			for want := range strings.SplitSeq(strings.TrimSpace(c.want), "\n") {
				if absent, not := strings.CutPrefix(want, "-"); not {
					for _, line := range got {
						require.False(t, strings.HasPrefix(line, absent+":"), "%s in %q", absent, got)
					}
					continue
				}
				require.Contains(t, got, want)
			}
		})
	}
}

func TestResponseHead(t *testing.T) {
	r := start(t, backend(t, func(w *wire) {
		w.head()
		w.send("HTTP/1.1 200 Fine\nDate: Mon, 02 Jan 2006 15:04:05 GMT\nSet-Cookie: a=1\nSet-Cookie: b=2\nKeep-Alive: timeout=9\n" +
			"Connection: close, X-Hop\nX-Hop: 1\nProxy-Authenticate: x\nX-End: e\nContent-Length: 2\n\nok")
	}))
	cl := r.dial()
	cl.send("GET / HTTP/1.1\nHost: x\n\n")
	lines := strings.Split(strings.TrimSpace(cl.head()), "\r\n")
	sort.Strings(lines)
	require.Equal(t, []string{
		"Content-Length: 2", "Date: Mon, 02 Jan 2006 15:04:05 GMT", "HTTP/1.1 200 OK",
		"Set-Cookie: a=1", "Set-Cookie: b=2", "X-End: e",
	}, lines)
	cl.expect("ok")
}

// TestTargetByteForByte sends targets that a careless proxy rewrites.
func TestTargetByteForByte(t *testing.T) {
	heads := make(chan string, 1)
	r := start(t, backend(t, func(w *wire) {
		for {
			heads <- w.head()
			w.send("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
		}
	}))
	cl := r.dial()
	for _, c := range [][2]string{
		{"/", ""},
		{"//", ""},
		{"//a//b/", ""},
		{"/a/../b/./c", ""},
		{"/..", ""},
		{"/%2e%2E/%2f", ""},
		{"/a%2Fb", ""},
		{"/a%2fb", ""},
		{"/%41", ""},
		{"/a;b=c;d", ""},
		{"/a+b%20c", ""},
		{"/?", ""},
		{"/?a=1&a=2;b", ""},
		{"/?q=%zz&%", ""},
		{"/a?b?c", ""},
		{"/~!$&'()*,:@-._", ""},
		{"/%C3%A9", ""},
		{"/caf\xc3\xa9", ""},
		{"/a|b\"<>^`{}", ""},
		{"/\\x", ""},
		{"/http://other/x", ""},
		{"/?http://other/", ""},
		{"http://abs.example/p%2Fq?x=1", "/p%2Fq?x=1"},
		{"http://abs.example", "/"},
		{"http://abs.example?x", "/?x"},
	} {
		want := c[1]
		if want == "" {
			want = c[0]
		}
		cl.sendf("GET %s HTTP/1.1\nHost: x\n\n", c[0])
		resp, _ := cl.response("GET")
		require.Equal(t, 200, resp.StatusCode, c[0])
		head := take(t, heads)
		require.Equal(t, "GET "+want+" HTTP/1.1", head[:strings.Index(head, "\r\n")])
		if strings.HasPrefix(c[0], "http:") {
			require.Contains(t, head, "\r\nHost: abs.example\r\n", "the absolute form names the host")
		}
	}
	cl.send("OPTIONS * HTTP/1.1\nHost: x\n\n")
	cl.response("OPTIONS")
	require.True(t, strings.HasPrefix(take(t, heads), "OPTIONS * HTTP/1.1\r\n"))
}

// TestMethods passes any token.
func TestMethods(t *testing.T) {
	heads := make(chan string, 1)
	r := start(t, backend(t, func(w *wire) {
		for {
			heads <- w.head()
			w.send("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
		}
	}))
	cl := r.dial()
	for _, method := range []string{"GET", "POST", "PURGE", "propfind", "M-SEARCH", "TRACE"} {
		cl.sendf("%s / HTTP/1.1\nHost: x\n\n", method)
		cl.response(method)
		require.True(t, strings.HasPrefix(take(t, heads), method+" / "))
	}
}
