package expect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/expect"
	"gauntlet/scenarios/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	run   = 0x5eed
	begin = int64(1_700_000_000_000_000_000)
)

// at gives the moment so long after the case's begin.
func at(d time.Duration) int64 { return begin + int64(d) }

// A scene is a small hand-made case, bent by each test into what it is about:
// two backends, a scripted client (group 0) and a load (group 1).
type scene struct {
	expect.Facts
}

func newScene() *scene {
	sealed := func(kind book.Kind, party uint16) *book.Book {
		return &book.Book{Header: book.Header{Kind: kind, Party: party, Run: run}, Sealed: true}
	}
	return &scene{expect.Facts{
		Case: &evidence.Case{
			Run: run, Begin: begin, End: at(10 * time.Second), Backends: 2,
			Groups:   []evidence.Group{{Name: "script"}, {Name: "steady", Load: true}},
			Names:    map[string]uint64{},
			Windows:  map[string]evidence.Window{},
			Settings: map[string]string{},
			Target:   evidence.Target{Name: "reference", PID: 7, Telemetry: []string{"traces", "metrics"}, Traces: true},
		},
		Books:    ledger.Books{Run: run, Client: sealed(book.ClientBook, 0), Backends: []*book.Book{sealed(book.BackendBook, 1), sealed(book.BackendBook, 2)}},
		Attempts: map[uint64][]expect.Attempt{},
		Events:   map[string]int{},
	}}
}

// exchange adds a GET of the group that began at the offset and was delivered
// 10 ms later, seen by the given backend (0: by none).
func (s *scene) exchange(group uint16, from time.Duration, backend int) *book.Client {
	seq := uint64(len(s.Books.Client.Clients) + 1)
	s.Books.Client.Clients = append(s.Books.Client.Clients, book.Client{
		Seq: seq, Group: group, Method: book.GET, End: book.EndLength,
		Flags: book.SentAll | book.Idempotent | book.Echoed | book.Generated | book.WholeHead,
		Conn:  uint32(seq), Nth: 1, LocalPort: uint16(30000 + seq), Status: 200,
		RespBytes: 64, RespBad: -1, RespSum: seq * 7919,
		Intended: at(from), Started: at(from), FirstByte: at(from + 5*time.Millisecond), Ended: at(from + 10*time.Millisecond),
	})
	if backend > 0 {
		s.sighting(backend, seq, from+time.Millisecond, from+4*time.Millisecond)
	}
	s.Case.Sent = seq
	return &s.Books.Client.Clients[seq-1]
}

// sighting adds a request that a backend read and answered, on a connection of
// its own.
func (s *scene) sighting(backend int, seq uint64, from, until time.Duration) (*book.Arrival, *book.Departure) {
	b := s.Books.Backends[backend-1]
	n := uint32(len(b.Arrivals) + 1)
	b.Arrivals = append(b.Arrivals, book.Arrival{
		Run: run, Seq: seq, Backend: uint16(backend), Conn: n, Nth: 1, PeerPort: uint16(40000 + n), Method: book.GET,
		Flags: book.HeadWhole | book.BodyWhole, Read: 100, ReqBad: -1, Time: at(from), Whole: at(from),
	})
	b.Departures = append(b.Departures, book.Departure{
		Seq: seq, Backend: uint16(backend), Conn: n, Nth: 1, Status: 200, End: book.EndLength,
		Flags:     book.AnswerBegun | book.AnswerWhole | book.HeadWhole | book.BodyWhole,
		RespBytes: 64, RespBad: -1, RespSum: seq * 7919, ReqBad: -1, FirstByte: at(until), Time: at(until),
	})
	return &b.Arrivals[n-1], &b.Departures[n-1]
}

func (s *scene) name(c *book.Client, name string) *book.Client {
	s.Case.Names[name] = c.Seq
	return c
}

// refused makes an exchange fail by a proxy-made answer that no backend saw.
func refused(c *book.Client, status uint16) *book.Client {
	c.Status, c.Flags = status, c.Flags&^(book.Echoed|book.Generated)
	c.RespBytes, c.RespBad, c.RespSum = 12, 0, 1234
	return c
}

// silent makes an exchange end without a byte of an answer.
func silent(c *book.Client, end book.End) *book.Client {
	c.End, c.Status, c.FirstByte = end, 0, 0
	c.Flags &^= book.Echoed | book.Generated | book.WholeHead
	c.RespBytes, c.RespBad, c.RespSum = 0, -1, 0
	return c
}

func (s *scene) facts(t require.TestingT) *expect.Facts {
	l, err := ledger.Join(s.Books)
	require.NoError(t, err)
	s.Ledger = l
	return &s.Facts
}

var scope = expect.Scope{
	Exchanges: []string{"one", "two"},
	Windows:   []string{"outage"},
	Loads:     []string{"steady"},
	Backends:  2,
	Settings: map[string]expect.SettingType{
		"n": expect.IntSetting, "d": expect.DurationSetting, "f": expect.NumberSetting,
		"b": expect.BoolSetting, "s": expect.SizeSetting, "t": expect.TextSetting,
	},
	Values: map[string]any{"method": "POST", "count": int64(3), "cut": map[string]any{"name": "head", "deep": map[string]any{"n": int64(1)}}, "sizes": []any{int64(1), int64(2)}},
}

func compile(t require.TestingT, list ...expect.Expectation) *expect.Program {
	p, problems := expect.Compile(scope, expect.Must, list)
	require.Empty(t, problems)
	return p
}

func (s *scene) judge(t require.TestingT, e expect.Expectation) expect.Finding {
	findings := expect.Judge(compile(t, e), s.facts(t))
	require.Len(t, findings, 1)
	return findings[0]
}
