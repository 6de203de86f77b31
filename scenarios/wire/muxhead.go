package wire

import (
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
)

// headers takes a head or a trailer section.
func (m *Mux) headers(f *http2.MetaHeadersFrame, at int64) error {
	if f.StreamID >= m.next || f.StreamID%2 == 0 {
		return errProtocol // RFC 9113 §5.1.1: we open all the streams there are
	}
	s := m.streams[f.StreamID]
	if s == nil || s.told {
		return nil // sent before the peer knew that we had ended the stream
	}
	a := s.x.answer.(*message)
	if s.x.over {
		m.unasked(s, at)
		return nil
	}
	a.begun = true
	if a.head != nil {
		if !f.StreamEnded() || len(f.PseudoFields()) > 0 || f.Truncated {
			m.malformed(s.id, at)
			return nil
		}
		a.trailer = plain(f.RegularFields())
		m.complete(s, at)
		return nil
	}
	h, ok := headOf(f)
	interim := ok && h.Status < 200
	switch {
	case !ok, interim && f.StreamEnded():
		s.x.rec.FirstByte = at
		m.malformed(s.id, at)
	case interim:
		s.x.interim(h)
	default:
		s.x.rec.FirstByte = at
		a.head = h
		s.x.head(h)
		if a.length, ok = lengthOf(h); !ok {
			m.malformed(s.id, at)
		} else if f.StreamEnded() {
			m.complete(s, at)
		}
	}
	return nil
}

// complete ends an exchange by END_STREAM. A client whose answer refuses the
// rest of its request stops sending it.
func (m *Mux) complete(s *stream, at int64) {
	s.x.finish(s.x.answer.(*message).whole(s.x), at)
	if s.x.rec.End == book.EndMalformed || !s.sent && s.x.rec.Status >= 400 {
		m.cancel(s, uint32(http2.ErrCodeCancel))
	}
	m.settled(s)
}

// unasked notes frames that nobody asked for: after the end of an answer, or a
// body without a head.
func (m *Mux) unasked(s *stream, at int64) {
	if s.x.over && s.x.rec.End.Clean() {
		s.x.rec.Flags |= book.Surplus
		return
	}
	m.malformed(s.id, at)
}

// headOf reads the head of an answer. It is not ok where RFC 9113 §8 calls it
// malformed: :status and no other, of three digits, never 101; no field that
// concerns a connection.
func headOf(f *http2.MetaHeadersFrame) (h *http1.Head, ok bool) {
	status := f.PseudoValue("status")
	n, err := strconv.Atoi(status)
	h = &http1.Head{Status: n, Minor: 1, Fields: plain(f.RegularFields())}
	if err != nil || len(status) != 3 || n < 100 || n == 101 || f.Truncated || len(f.PseudoFields()) != 1 {
		return h, false
	}
	for _, name := range connectionFields() {
		if has(h.Fields, name) {
			return h, false
		}
	}
	return h, true
}

// connectionFields are those that HTTP/2 has no place for (RFC 9113 §8.2.2).
func connectionFields() []string {
	return []string{"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
}

func plain(list []hpack.HeaderField) []http1.Field {
	out := make([]http1.Field, len(list))
	for i, f := range list {
		out[i] = http1.Field{Name: f.Name, Value: f.Value}
	}
	return out
}

// head2 gives the request's fields as HTTP/2 has them: the same as over HTTP/1
// but for names in lower case and what frames say. What the script itself put
// there goes as it is, however malformed.
func (r *Request) head2(t *Target, x *Exchange) []hpack.HeaderField {
	if len(r.Whole) > 0 {
		list := make([]hpack.HeaderField, len(r.Whole))
		for i, f := range r.Whole {
			list[i] = hpack.HeaderField{Name: f.Name, Value: strings.ReplaceAll(f.Value, "${id}", x.id.String())}
		}
		return list
	}
	scheme, path, host := "http", r.path(t), t.host()
	if t.TLS != nil {
		scheme = "https"
	}
	if r.Host != "" {
		host = r.Host
	}
	list := []hpack.HeaderField{{Name: ":method", Value: r.method()}, {Name: ":scheme", Value: scheme}, {Name: ":authority", Value: host}, {Name: ":path", Value: path}}
	if r.method() == "CONNECT" { // RFC 9113 §8.5
		list = []hpack.HeaderField{{Name: ":method", Value: "CONNECT"}, {Name: ":authority", Value: path}}
	}
	for _, f := range append(r.own(t, x.id), t.Fields...) {
		if !has(r.Fields, f.Name) && !strings.EqualFold(f.Name, "Host") && !strings.EqualFold(f.Name, "Transfer-Encoding") {
			list = append(list, lower([]http1.Field{f})...)
		}
	}
	return append(list, lower(r.Fields)...)
}

// lower gives fields as HTTP/2 spells them (RFC 9113 §8.2).
func lower(fields []http1.Field) []hpack.HeaderField {
	list := make([]hpack.HeaderField, len(fields))
	for i, f := range fields {
		list[i] = hpack.HeaderField{Name: strings.ToLower(f.Name), Value: f.Value}
	}
	return list
}
