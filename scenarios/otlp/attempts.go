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
	attrResend    = "http.request.resend_count"
	attrAddress   = "server.address"
	attrPort      = "server.port"
	attrPeer      = "network.peer.address"
	attrPeerPort  = "network.peer.port"
	attrPhase     = "gauntlet.attempt.phase"
	attrReason    = "gauntlet.attempt.reason"
)

// An Attempt is one try of an exchange as the target's trace tells it.
type Attempt struct {
	Span      *Span
	ErrorType string // error.type: "timeout", "refused", a status code …; "" when it did not fail
	Phase     string // in which it failed: queue, connect, tls, write, headers, body
	Reason    string // why it was made: recovery, retry; "" for the first
	Resend    int    // http.request.resend_count
	Endpoint  string // host:port
}

// Attempts gives the client spans under the trace of each exchange of the run,
// by sequence number, in the order in which they began.
func Attempts(s Spans, run uint64) map[uint64][]Attempt {
	m := map[uint64][]Attempt{}
	for i := range s.List {
		sp := &s.List[i]
		if sp.Kind != Client {
			continue
		}
		if seq, ok := seqOf(sp.Trace, run); ok {
			m[seq] = append(m[seq], sp.attempt())
		}
	}
	for _, list := range m {
		slices.SortStableFunc(list, func(a, b Attempt) int {
			return cmp.Or(cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(a.Resend, b.Resend))
		})
	}
	return m
}

func (s *Span) attempt() Attempt {
	a := Attempt{Span: s, ErrorType: s.text(attrErrorType), Phase: s.text(attrPhase), Reason: s.text(attrReason)}
	if n, ok := s.Attrs[attrResend].(int64); ok {
		a.Resend = int(n)
	}
	for _, names := range [][2]string{{attrAddress, attrPort}, {attrPeer, attrPeerPort}} {
		port, ok := s.Attrs[names[1]].(int64)
		if host := s.text(names[0]); ok && host != "" {
			a.Endpoint = net.JoinHostPort(host, strconv.FormatInt(port, 10))
			break
		}
	}
	return a
}

func (s *Span) text(name string) string { t, _ := s.Attrs[name].(string); return t }
