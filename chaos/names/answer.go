package names

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// serve answers until the socket is closed.
func (s *Server) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // an ICMP error of a client that has gone
			continue
		}
		answer, delay := s.answer(buf[:n])
		switch {
		case answer == nil:
		case delay == 0:
			_, _ = s.conn.WriteToUDPAddrPort(answer, from) // lost like any datagram
		default:
			s.hold(answer, from, delay)
		}
	}
}

// hold sends the answer later, unless too many wait already.
func (s *Server) hold(answer []byte, to netip.AddrPort, delay time.Duration) {
	select {
	case s.late <- struct{}{}:
	default:
		return
	}
	s.wg.Go(func() {
		defer func() { <-s.late }()
		t := time.NewTimer(delay)
		defer t.Stop()
		select {
		case <-t.C:
			_, _ = s.conn.WriteToUDPAddrPort(answer, to)
		case <-s.ctx.Done():
		}
	})
}

// answer gives the answer to a question, nil for none, and how long it waits.
func (s *Server) answer(question []byte) ([]byte, time.Duration) {
	var p dnsmessage.Parser
	h, err := p.Start(question)
	if err != nil || h.Response {
		return nil, 0
	}
	q, err := p.Question()
	if err != nil {
		return nil, 0
	}
	name := q.Name.String()
	name = name[:max(0, len(name)-1)]
	s.mu.Lock()
	fault, delay := s.fault(name)
	addrs, known := s.now[name]
	if fault == Stale {
		addrs = s.before[name]
	}
	s.mu.Unlock()
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: h.ID, Response: true, Authoritative: true, RecursionDesired: h.RecursionDesired, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q},
	}
	switch {
	case fault == Silent:
		return nil, 0
	case fault == NXDomain || !known:
		reply.RCode = dnsmessage.RCodeNameError
	case fault == ServFail:
		reply.RCode = dnsmessage.RCodeServerFailure
	case fault == Truncated:
		reply.Truncated = true
	case fault != Empty:
		reply.Answers = s.records(q, addrs)
	}
	b, err := reply.Pack()
	if err != nil {
		return nil, 0
	}
	return b, delay
}

// fault gives what acts on a question now. The lock is held.
func (s *Server) fault(name string) (Fault, time.Duration) {
	s.asked++
	if s.begin.IsZero() {
		return "", 0
	}
	now := time.Now()
	at := now.Sub(s.begin)
	for i, w := range s.config.Windows {
		if at < w.From || w.Until != 0 && at >= w.Until || w.Name != "" && w.Name != name {
			continue
		}
		s.touched[i]++
		if len(s.receipts) < mostReceipts {
			s.receipts = append(s.receipts, Receipt{i, name, now})
		}
		return w.Fault, w.Delay
	}
	return "", 0
}

// records gives the addresses of the family that is asked for.
func (s *Server) records(q dnsmessage.Question, addrs []netip.Addr) (all []dnsmessage.Resource) {
	h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: uint32(s.config.TTL / time.Second)}
	for _, a := range addrs {
		switch {
		case q.Type == dnsmessage.TypeA && a.Is4():
			all = append(all, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
		case q.Type == dnsmessage.TypeAAAA && a.Is6():
			all = append(all, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return all
}
