package conform_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
	"gauntlet/reports"
	"gauntlet/scenarios/conform"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const run = 0x5eed

// scene is a row that was sent, answered 200, and seen once by one backend.
type scene struct {
	facts  *expect.Facts
	client *book.Client
	answer *evidence.Answer
	seen   book.Book // what the backend's book says
}

func newScene() *scene {
	s := &scene{
		client: &book.Client{Seq: 1, Method: book.POST, End: book.EndLength, Flags: book.SentAll | book.WholeHead, Conn: 1, Nth: 1, Status: 200, RespBytes: 2, RespBad: -1, Started: 1, FirstByte: 2, Ended: 3},
		answer: &evidence.Answer{Exchange: 1, Fields: []http1.Field{{Name: "ETag", Value: "a"}}, Body: "ok", Interim: []int{103}},
	}
	s.facts = &expect.Facts{Case: &evidence.Case{
		Run: run, Begin: 1, End: 9, Backends: 1, Names: map[string]uint64{"row": 1},
		Requests: []evidence.Request{{
			Backend: 1, Exchange: 1, Method: "POST", Target: "/a", Version: "1.1", Whole: true, Body: "12345", Bytes: 5,
			Fields: []http1.Field{{Name: "content-length", Value: "5"}, {Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}},
		}},
	}}
	return s
}

func (s *scene) judge(t *testing.T, r conform.Row) []expect.Finding {
	t.Helper()
	sealed := func(kind book.Kind, party uint16) *book.Book {
		return &book.Book{Header: book.Header{Kind: kind, Party: party, Run: run}, Sealed: true}
	}
	s.facts.Books = ledger.Books{Run: run, Client: sealed(book.ClientBook, 0), Backends: []*book.Book{sealed(book.BackendBook, 1)}}
	s.facts.Books.Client.Clients = []book.Client{*s.client}
	s.facts.Books.Backends[0].Arrivals, s.facts.Books.Backends[0].Departures = s.seen.Arrivals, s.seen.Departures
	s.facts.Case.Answers = []evidence.Answer{*s.answer}
	var err error
	s.facts.Ledger, err = ledger.Join(s.facts.Books)
	require.NoError(t, err)
	r.Name, r.Section = "row", "RFC 9112 §6.3"
	return conform.Judge([]conform.Row{r}, expect.Must, s.facts)
}

func closed(s *scene) {
	s.client.Status, s.client.End, s.client.RespBytes, s.client.Flags = 0, book.EndReset, 0, book.SentAll
	s.answer.Fields, s.answer.Body = nil, ""
}

func unseen(s *scene) { s.facts.Case.Requests = nil }

func again(s *scene) {
	s.facts.Case.Requests = append(s.facts.Case.Requests, s.facts.Case.Requests[0])
}

func TestWays(t *testing.T) {
	body, wrong, five, closes := "ok", "no", int64(5), true
	client := func(c conform.Client) conform.Way { return conform.Way{Client: &c} }
	backend := func(b conform.Backend) conform.Way { return conform.Way{Backend: &b} }
	refuse := func(s *scene) { s.client.Status = 400 }
	for name, c := range map[string]struct {
		way  conform.Way
		bend func(*scene)
		held bool
	}{
		"any":                         {conform.Way{}, nil, true},
		"status":                      {client(conform.Client{Status: conform.Statuses{204, 200}}), nil, true},
		"another status":              {client(conform.Client{Status: conform.Statuses{204}}), nil, false},
		"status of a cut answer":      {client(conform.Client{Status: conform.Statuses{200}}), func(s *scene) { s.client.End = book.EndCut }, false},
		"refused by status":           {client(conform.Client{Is: conform.Refused}), refuse, true},
		"refused by close":            {client(conform.Client{Is: conform.Refused}), closed, true},
		"not refused":                 {client(conform.Client{Is: conform.Refused}), nil, false},
		"a timeout is no refusal":     {client(conform.Client{Is: conform.Refused}), func(s *scene) { closed(s); s.client.End = book.EndTimeout }, false},
		"closed":                      {client(conform.Client{Is: conform.Closed}), closed, true},
		"answered, not closed":        {client(conform.Client{Is: conform.Closed}), refuse, false},
		"failed by cut":               {client(conform.Client{Is: conform.Failed}), func(s *scene) { s.client.End = book.EndCut }, true},
		"a 400 is no failure of ours": {client(conform.Client{Is: conform.Failed}), refuse, false},
		"whole":                       {client(conform.Client{Is: conform.Whole}), refuse, true},
		"cut is not whole":            {client(conform.Client{Is: conform.Whole}), func(s *scene) { s.client.End = book.EndCut }, false},
		"field":                       {client(conform.Client{Fields: conform.Fields{"etag": "a"}}), nil, true},
		"no such field":               {client(conform.Client{Fields: conform.Fields{"etag": ""}}), nil, false},
		"body":                        {client(conform.Client{Body: &body}), nil, true},
		"another body":                {client(conform.Client{Body: &wrong}), nil, false},
		"bytes":                       {client(conform.Client{Bytes: &five}), nil, false},
		"interim":                     {client(conform.Client{Interim: &[]int{103}}), nil, true},
		"no interim":                  {client(conform.Client{Interim: &[]int{}}), nil, false},
		"does not announce":           {client(conform.Client{Close: &closes}), nil, false},
		"announces":                   {client(conform.Client{Close: &closes}), func(s *scene) { s.client.Flags |= book.CloseAnnounced }, true},
		"1.0 announces by itself":     {client(conform.Client{Close: &closes}), func(s *scene) { s.client.Flags |= book.OldClient }, true},

		"nothing":                   {backend(conform.Backend{Is: conform.Nothing}), unseen, true},
		"something":                 {backend(conform.Backend{Is: conform.Nothing}), nil, false},
		"unfinished":                {backend(conform.Backend{Is: conform.Unfinished}), func(s *scene) { s.facts.Case.Requests[0].Whole = false }, true},
		"nothing is unfinished":     {backend(conform.Backend{Is: conform.Unfinished}), unseen, true},
		"finished":                  {backend(conform.Backend{Is: conform.Unfinished}), nil, false},
		"once":                      {backend(conform.Backend{Is: conform.Once}), nil, true},
		"never":                     {backend(conform.Backend{Is: conform.Once}), unseen, false},
		"twice":                     {backend(conform.Backend{Is: conform.Once}), again, false},
		"at most once, never":       {backend(conform.Backend{Is: conform.AtMostOnce}), unseen, true},
		"at most once, twice":       {backend(conform.Backend{Is: conform.AtMostOnce}), again, false},
		"method and target":         {backend(conform.Backend{Method: "POST", Target: "/a", Version: "1.1", Bytes: &five}), nil, true},
		"another method":            {backend(conform.Backend{Method: "post"}), nil, false},
		"another target":            {backend(conform.Backend{Target: "/A"}), nil, false},
		"lines of one name":         {backend(conform.Backend{Fields: conform.Fields{"X-A": "1, 2"}}), nil, true},
		"present":                   {backend(conform.Backend{Fields: conform.Fields{"X-A": "*"}}), nil, true},
		"not present":               {backend(conform.Backend{Fields: conform.Fields{"X-B": "*"}}), nil, false},
		"anything but":              {backend(conform.Backend{Fields: conform.Fields{"X-A": "!1"}}), nil, true},
		"the very value":            {backend(conform.Backend{Fields: conform.Fields{"X-A": "!1, 2"}}), nil, false},
		"expression":                {backend(conform.Backend{Fields: conform.Fields{"X-A": "~^1"}}), nil, true},
		"expression of none":        {backend(conform.Backend{Fields: conform.Fields{"X-B": "~^1"}}), nil, false},
		"two ends":                  {backend(conform.Backend{Is: conform.Once}), twoEnds, false},
		"trailers that are not":     {backend(conform.Backend{Trailers: conform.Fields{"T": "v"}}), nil, false},
		"both sides, one of them":   {conform.Way{Client: &conform.Client{Is: conform.Refused}, Backend: &conform.Backend{Is: conform.Once}}, nil, false},
		"both sides, the other one": {conform.Way{Client: &conform.Client{Is: conform.Whole}, Backend: &conform.Backend{Is: conform.Nothing}}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			if c.bend != nil {
				c.bend(s)
			}
			findings := s.judge(t, conform.Row{Allow: []conform.Way{c.way}})
			require.Len(t, findings, 2)
			require.Equal(t, reports.Pass, findings[0].Verdict)
			want := reports.Pass
			if !c.held {
				want = reports.Fail
			}
			require.Equal(t, want, findings[1].Verdict, findings[1].Message)
			// A second way that holds takes nothing away.
			require.Equal(t, reports.Pass, s.judge(t, conform.Row{Allow: []conform.Way{c.way, {}}})[1].Verdict)
		})
	}
}

func twoEnds(s *scene) {
	r := &s.facts.Case.Requests[0]
	r.Fields = append(r.Fields, http1.Field{Name: "Transfer-Encoding", Value: "chunked"})
}

func TestVerdicts(t *testing.T) {
	impossible := conform.Row{Allow: []conform.Way{{Backend: &conform.Backend{Is: conform.Nothing}}}}
	s := newScene()
	f := s.judge(t, impossible)[1]
	require.Equal(t, "row (RFC 9112 §6.3)", f.That)
	require.Equal(t, []uint64{1}, f.Exchanges)
	require.Equal(t, `found: the client got 200 (length, 2 bytes) after [103] [ETag: "a"], backend 1 saw "POST /a HTTP/1.1" [content-length: "5", X-A: "1", x-a: "2"] and 5 bytes "12345"; allowed: backend nothing`, f.Message)

	should := impossible
	should.Level = expect.Should
	require.Equal(t, reports.Exposed, s.judge(t, should)[1].Verdict)

	s.facts.Case.Errors = []string{"the disk is full"}
	require.Equal(t, reports.Invalid, s.judge(t, impossible)[1].Verdict, "a failure of ours accuses nobody")

	s = newScene()
	s.seen.Arrivals = []book.Arrival{{Run: run, Seq: 1, Backend: 1, Conn: 1, Nth: 1, Method: book.POST, ReqBad: -1, Time: 1, Whole: 1}}
	s.seen.Departures = []book.Departure{{Seq: 1, Backend: 1, Conn: 1, Nth: 1, End: book.EndMalformed, RespBad: -1, ReqBad: -1, FirstByte: 2, Time: 2}}
	require.Equal(t, reports.Fail, s.judge(t, impossible)[1].Verdict, "both sides are known, whatever becomes of an answer that is none")
	require.Equal(t, 1, s.facts.Ledger.Count(ledger.Unverified))
	require.Equal(t, reports.Invalid, expect.Implicit(expect.Must, s.facts)[0].Verdict, "which leaves open what became of it")
	s.facts.Table = true
	require.Equal(t, reports.Pass, expect.Implicit(expect.Must, s.facts)[0].Verdict, "and no row asks that")

	s = newScene()
	delete(s.facts.Case.Names, "row")
	require.Equal(t, reports.Invalid, s.judge(t, impossible)[1].Verdict, "nor what was never sent")

	s = newScene()
	s.facts.Case.Requests = append(s.facts.Case.Requests, evidence.Request{Backend: 1, Bad: "malformed HTTP/1"})
	require.Equal(t, reports.Fail, s.judge(t, conform.Row{Allow: []conform.Way{{}}})[0].Verdict, "what nobody understands came of some row")
}
