package proxy

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"gauntlet/proxy/edge"
	"gauntlet/proxy/edge/clientconn"
	"gauntlet/proxy/telemetry"
	"gauntlet/proxy/transport"
)

// forwarder sends routed requests to their upstream and streams back what
// comes.
type forwarder struct{ p *Proxy }

// forwarding is one exchange being forwarded.
type forwarding struct {
	p    *Proxy
	w    http.ResponseWriter
	rc   *http.ResponseController
	r    *http.Request
	ex   *edge.Exchange
	in   *scope
	conn *clientconn.Conn // nil on HTTP/2, where others use it too
	up   *upload          // nil: no request body
	tx   transport.Exchange

	stall *stall // of an HTTP/2 stream, once something was written to it

	// head guards the ResponseWriter against the one thing that another
	// goroutine writes: the 100 that lets a waiting client send its body.
	head      sync.Mutex
	continued bool // a 100 was sent, or none may follow
	flushed   bool // the head has gone out to the connection
	copies    bool // the kernel will not move this body by itself
}

// ServeHTTP forwards r to the upstream its exchange names.
func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &forwarding{
		p: f.p, w: w, rc: http.NewResponseController(w), r: r,
		ex: edge.From(r.Context()), conn: clientconn.From(r.Context()),
	}
	x.in = x.ex.Scope.(*scope)
	defer x.leave()
	// The exchange with the upstream has a context of its own: net/http
	// cancels the request's as soon as a read of the body fails, also when
	// we made it fail because the answer is already there. On HTTP/2 only the
	// client's leaving does that.
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer cancel(nil)
	out := x.outbound(ctx)
	stop := context.AfterFunc(r.Context(), func() {
		if multiplexed(r) || !x.up.busy() { // else that Read says what happened
			cancel(transport.ErrClientGone)
		}
	})
	defer stop()
	resp, err := x.in.upstreams[x.ex.Upstream].RoundTrip(out)
	x.ex.Attempts = len(x.tx.Attempts())
	if last := x.tx.Last(); last != nil {
		x.ex.Endpoint = last.Endpoint
	}
	switch {
	case err != nil:
		x.fail(err)
	case resp.StatusCode == http.StatusSwitchingProtocols:
		x.tunnel(resp)
	default:
		x.deliver(resp)
	}
}

// outbound is the request as the upstream gets it.
func (x *forwarding) outbound(ctx context.Context) *http.Request {
	r := x.r
	x.tx.Started = x.ex.Started
	if r.ProtoAtLeast(1, 1) { // RFC 9110 §15.2: HTTP/1.0 knows no interim responses
		x.tx.On1xx = x.interim
	}
	ctx = transport.WithExchange(ctx, &x.tx)
	out := (&http.Request{
		Method: r.Method, URL: &url.URL{Opaque: target(r)}, Host: r.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: requestHeader(r), Body: http.NoBody,
		RemoteAddr: r.RemoteAddr, // not sent: for those who choose an endpoint by it
	}).WithContext(ctx)
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 { // the last as HTTP/2 says it
		return out
	}
	_ = x.rc.EnableFullDuplex() // an answer may begin before the request ends
	x.up = &upload{src: r.Body, rc: x.rc, timeout: x.in.bodyTimeout, stream: multiplexed(r)}
	if x.expects() {
		x.up.before = x.sendContinue
	}
	if r.ContentLength < 0 {
		trailer := make(http.Header, len(r.Trailer))
		for name := range r.Trailer {
			trailer[name] = nil
		}
		out.Trailer = trailer
		x.up.atEOF = func() { copyTrailers(trailer, r.Trailer) }
	}
	out.Body, out.ContentLength = x.up, r.ContentLength
	return out
}

// fail answers for an upstream that did not.
func (x *forwarding) fail(err error) {
	f := explain(err, x.up.faulty())
	defer x.tell(err)
	if f.status == StatusClientGone {
		x.ex.Class, x.ex.Status = f.class, f.status
		x.abort(false)
	}
	x.closeAfter()
	x.head.Lock()
	defer x.head.Unlock()
	x.continued = true
	reply(x.w, x.r, f)
}

// tell logs why the exchange failed, once it is known what the client was given.
func (x *forwarding) tell(cause error) {
	ended := x.ex.SoFar(x.r)
	telemetry.Failed(x.r.Context(), x.p.log, &ended, cause)
}

// abort ends the exchange with the connection, so that nothing that was sent
// looks whole. On HTTP/2 net/http makes it an RST_STREAM.
func (x *forwarding) abort(reset bool) {
	if x.conn != nil {
		x.conn.Abort(reset)
	}
	panic(http.ErrAbortHandler)
}
