package otlp

import (
	"cmp"
	"net"
	"slices"
	"strconv"
)

// Attribute names: those of the HTTP semantic conventions, and the reference
// proxy's own. A target that uses the latter can be asked more.
const (
	attrErrorType = "error.type"
	attrMethod    = "http.request.method"
	attrCode      = "http.response.status_code"
	attrRoute     = "http.route"
	attrResend    = "http.request.resend_count"
	attrAddress   = "server.address"
	attrPort      = "server.port"
	attrPeer      = "network.peer.address"
	attrPeerPort  = "network.peer.port"
	attrPhase     = "gauntlet.attempt.phase"
	attrReason    = "gauntlet.attempt.reason"
	attrClass     = "gauntlet.error.class"
	attrAborted   = "gauntlet.response.aborted"
)

// Endpoint is the host:port that the span names: the server's, or else the
// peer's; "" when it names neither.
func (b *Brief) Endpoint() string {
	switch {
	case b.address != "" && b.port != 0:
		return net.JoinHostPort(b.address, strconv.Itoa(b.port))
	case b.peer != "" && b.peerPort != 0:
		return net.JoinHostPort(b.peer, strconv.Itoa(b.peerPort))
	}
	return ""
}

// Attempts gives the client spans under the trace of each exchange of the run,
// by sequence number, in the order in which they began: its tries, as the
// target's trace tells them.
func (b *Briefs) Attempts() map[uint64][]*Brief {
	m := map[uint64][]*Brief{}
	for i := range b.List {
		if s := &b.List[i]; s.Kind == Client && s.Seq != 0 {
			m[s.Seq] = append(m[s.Seq], s)
		}
	}
	for _, list := range m {
		slices.SortStableFunc(list, func(x, y *Brief) int {
			return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.Resend, y.Resend))
		})
	}
	return m
}
