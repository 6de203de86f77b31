package conform

import (
	"regexp"
	"slices"
	"strings"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
	"gauntlet/scenarios/evidence"
)

// sight is what both sides saw of one exchange.
type sight struct {
	client   *book.Client
	answer   *evidence.Answer // nil when nobody told
	requests []*evidence.Request
}

// closed reports whether the client saw that its connection, or its stream,
// ended without an answer.
func (s *sight) closed() bool {
	e := s.client.End
	return s.client.Flags&book.WholeHead == 0 && (e == book.EndCut || e == book.EndReset || e == book.EndRefused)
}

// announced reports whether the answer says that nothing follows it on its
// connection. To HTTP/1.0 that needs no word (RFC 9112 §9.3).
func (s *sight) announced() bool {
	kept := s.answer != nil && slices.ContainsFunc(values(s.answer.Fields, "Connection"), func(v string) bool { return strings.Contains(strings.ToLower(v), "keep-alive") })
	return s.client.Flags&book.CloseAnnounced != 0 || s.client.Flags&book.OldClient != 0 && !kept
}

// toClient reports whether the client saw what is allowed.
func (s *sight) toClient(c *Client) bool {
	if c == nil {
		return true
	}
	status, clean := int(s.client.Status), s.client.End.Clean()
	switch c.Is {
	case Refused:
		return s.closed() || status >= 400
	case Closed:
		return s.closed()
	case Failed:
		return s.closed() || clean && status >= 500 || !clean && (s.client.End == book.EndCut || s.client.End == book.EndReset || s.client.End == book.EndMalformed)
	case Whole:
		return clean && status >= 200
	}
	if len(c.Status) > 0 && (!slices.Contains(c.Status, status) || !clean) {
		return false
	}
	if c.Close != nil && *c.Close != s.announced() || c.Bytes != nil && *c.Bytes != s.client.RespBytes {
		return false
	}
	if s.answer == nil {
		return len(c.Fields)+len(c.Trailers) == 0 && c.Body == nil && c.Interim == nil
	}
	return read(s.answer.Fields, c.Fields) && read(s.answer.Trailers, c.Trailers) &&
		(c.Body == nil || *c.Body == s.answer.Body) && (c.Interim == nil || slices.Equal(*c.Interim, s.answer.Interim))
}

// atBackend reports whether the backends saw what is allowed.
func (s *sight) atBackend(b *Backend) bool {
	if b == nil {
		return true
	}
	whole := slices.DeleteFunc(slices.Clone(s.requests), func(r *evidence.Request) bool { return !r.Whole })
	switch {
	case b.Is == Nothing:
		return len(s.requests) == 0
	case b.Is == Unfinished:
		return len(whole) == 0 && len(s.requests) <= 1
	case b.Is == AtMostOnce && len(s.requests) == 0:
		return true
	case len(s.requests) != 1:
		return false
	case b.Is == AtMostOnce && len(whole) == 0:
		return true
	}
	r := s.requests[0]
	return r.Whole && unambiguous(r) && (b.Method == "" || b.Method == r.Method) && (b.Target == "" || b.Target == r.Target) &&
		(b.Version == "" || b.Version == r.Version) && read(r.Fields, b.Fields) && read(r.Trailers, b.Trailers) &&
		(b.Body == nil || *b.Body == r.Body) && (b.Bytes == nil || *b.Bytes == r.Bytes)
}

// unambiguous reports whether a request says in one way where it ends, so that
// every backend finds the same end (RFC 9112 §6.3).
func unambiguous(r *evidence.Request) bool {
	lengths, codings := values(r.Fields, "Content-Length"), values(r.Fields, "Transfer-Encoding")
	return len(lengths) <= 1 && len(codings) <= 1 && len(lengths)+len(codings) <= 1
}

func values(fields []http1.Field, name string) (all []string) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// present stands for any value.
const present = "*"

// read reports whether fields say what is wanted. Several lines of one name are
// one list (RFC 9110 §5.3).
func read(fields []http1.Field, wanted Fields) bool {
	for name, want := range wanted {
		if !says(values(fields, name), want) {
			return false
		}
	}
	return true
}

// says holds one field's values against what is wanted: "" that it is absent, *
// that it is there, !value that it is anything else, ~expression that it matches.
func says(got []string, want string) bool {
	text := strings.Join(got, ", ")
	switch {
	case want == "":
		return len(got) == 0
	case want == present:
		return len(got) > 0
	case want[0] == '!':
		return text != want[1:]
	case want[0] == '~':
		e, err := regexp.Compile(want[1:])
		return err == nil && len(got) > 0 && e.MatchString(text)
	}
	return text == want
}
