package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	run   = 0x5eed
	start = int64(1_700_000_000_000_000_000)
	ms    = int64(1e6)
)

// A scene is a set of sealed books in which every exchange was delivered, to be
// bent into the case at hand.
type scene struct {
	ledger.Books
}

func newScene(backends int) *scene {
	s := &scene{ledger.Books{Run: run, Client: &book.Book{Header: book.Header{Kind: book.ClientBook, Run: run}, Sealed: true, Clients: make([]book.Client, 0, 64)}}}
	for i := range backends {
		s.Backends = append(s.Backends, &book.Book{Header: book.Header{Kind: book.BackendBook, Party: uint16(i + 1), Run: run}, Sealed: true, Arrivals: make([]book.Arrival, 0, 64), Departures: make([]book.Departure, 0, 64)})
	}
	return s
}

// times of exchange seq: it begins at the returned moment, the backend reads it
// 1 ms later, answers 2 ms later, and the client has the answer 3 ms later.
func at(seq uint64) int64 { return start + int64(seq)*1000*ms }

func bodySum(seq uint64) uint64 { return seq*7919 + 11 }

// client adds the record of a GET that was delivered by backend 1.
func (s *scene) client(seq uint64) *book.Client {
	s.Client.Clients = append(s.Client.Clients, book.Client{
		Seq: seq, Method: book.GET, End: book.EndLength,
		Flags: book.SentAll | book.Idempotent | book.Echoed | book.Generated | book.WholeHead,
		Conn:  uint32(seq), Nth: 1, LocalPort: uint16(30000 + seq), Status: 200,
		RespBytes: 64, RespBad: -1, RespSum: bodySum(seq),
		Intended: at(seq), Started: at(seq), FirstByte: at(seq) + 3*ms, Ended: at(seq) + 3*ms,
	})
	return &s.Client.Clients[len(s.Client.Clients)-1]
}

// attempt adds a sighting of exchange seq at a backend, which answered it.
func (s *scene) attempt(backend int, seq uint64) (*book.Arrival, *book.Departure) {
	b := s.Backends[backend-1]
	n := uint32(len(b.Arrivals) + 1)
	b.Arrivals = append(b.Arrivals, book.Arrival{
		Run: run, Seq: seq, Backend: uint16(backend), Conn: n, Nth: 1, PeerPort: uint16(40000 + n), Method: book.GET,
		Flags: book.HeadWhole | book.BodyWhole, Read: 100, ReqBad: -1, Time: at(seq) + ms, Whole: at(seq) + ms,
	})
	b.Departures = append(b.Departures, book.Departure{
		Seq: seq, Backend: uint16(backend), Conn: n, Nth: 1, Status: 200, End: book.EndLength,
		Flags:     book.AnswerBegun | book.AnswerWhole | book.HeadWhole | book.BodyWhole,
		RespBytes: 64, RespBad: -1, RespSum: bodySum(seq), ReqBad: -1,
		FirstByte: at(seq) + 2*ms, Time: at(seq) + 2*ms,
	})
	return &b.Arrivals[len(b.Arrivals)-1], &b.Departures[len(b.Departures)-1]
}

func (s *scene) receipt(r book.Receipt) {
	if s.Faults == nil {
		s.Faults = &book.Book{Header: book.Header{Kind: book.FaultBook, Run: run}, Sealed: true}
	}
	r.Window, r.Count = 1, 1
	s.Faults.Receipts = append(s.Faults.Receipts, r)
}

func (s *scene) join(t require.TestingT) *ledger.Ledger {
	l, err := ledger.Join(s.Books)
	require.NoError(t, err)
	return l
}

// post makes a record that of a POST with a body, as client and backend saw it.
func post(c *book.Client, a *book.Arrival, d *book.Departure) {
	c.Method, c.Flags = book.POST, c.Flags&^book.Idempotent
	c.ReqBytes, c.ReqSent, c.ReqSum = 1000, 1000, 77
	if a != nil {
		a.Method, a.ReqBytes, a.ReqSum = book.POST, 1000, 77
		d.ReqBytes, d.ReqSum = 1000, 77
	}
}

// failed makes a record that of a proxy-made failure.
func failed(c *book.Client, status uint16) {
	c.Status, c.Flags = status, c.Flags&^(book.Echoed|book.Generated)
	c.RespBytes, c.RespBad, c.RespSum = 12, 0, 1234
}

// broken makes a record that of a connection that ended without a word.
func broken(c *book.Client, end book.End) {
	c.End, c.Status, c.FirstByte = end, 0, 0
	c.Flags &^= book.Echoed | book.Generated | book.WholeHead
	c.RespBytes, c.RespBad, c.RespSum = 0, -1, 0
}

// unanswered makes a departure that of a backend that closed without a word.
func unanswered(d *book.Departure) {
	d.Status, d.End, d.Flags = 0, book.EndCut, book.HeadWhole|book.BodyWhole
	d.RespBytes, d.RespSum, d.FirstByte = 0, 0, 0
}

// half makes a departure that of a backend that broke its answer off.
func half(d *book.Departure) {
	d.End, d.RespBytes, d.RespSum = book.EndCut, 10, 5
	d.Flags &^= book.AnswerWhole
}
