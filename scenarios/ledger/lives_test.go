package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

// kept is the book of one life with a request on each of two connections.
func kept(sealed bool, from int64) *book.Book {
	b := &book.Book{Header: book.Header{Kind: book.BackendBook, Party: 2, Run: run}, Sealed: sealed}
	for conn := range uint32(2) {
		seq := uint64(from) + uint64(conn)
		b.Arrivals = append(b.Arrivals, book.Arrival{Backend: 2, Conn: conn + 1, Nth: 1, Run: run, Seq: seq, Time: from + int64(conn)})
		b.Departures = append(b.Departures, book.Departure{Backend: 2, Conn: conn + 1, Nth: 1, Seq: seq, Time: from + int64(conn) + 5})
	}
	return b
}

func TestLivesAreOneBook(t *testing.T) {
	joined, broken := ledger.Lives([]ledger.Life{{Book: kept(true, 100)}, {Book: kept(true, 200), From: 190}})
	require.Empty(t, broken)
	require.True(t, joined.Sealed)
	require.Equal(t, uint16(2), joined.Party)
	var conns []uint32
	for i := range joined.Arrivals {
		conns = append(conns, joined.Arrivals[i].Conn)
		require.Equal(t, joined.Arrivals[i].Conn, joined.Departures[i].Conn)
	}
	require.Equal(t, []uint32{1, 2, 3, 4}, conns, "no connection of one life is taken for one of another")
}

func TestLivesThatBreakOff(t *testing.T) {
	joined, broken := ledger.Lives([]ledger.Life{{Book: kept(false, 100), Died: 150}, {Book: kept(true, 200), From: 190}})
	require.True(t, joined.Sealed, "a scenario's own doing is no gap")
	require.Equal(t, []ledger.Break{{Backend: 2, Last: 106, Died: 150, Back: 190}}, broken)
	joined, broken = ledger.Lives([]ledger.Life{{Book: kept(false, 100)}, {Book: kept(true, 200), From: 190}})
	require.False(t, joined.Sealed, "nobody knows why the first ended")
	require.Equal(t, []ledger.Break{{Backend: 2, Last: 106, Back: 190}}, broken)
	joined, _ = ledger.Lives([]ledger.Life{{Book: kept(true, 100)}, {Book: kept(false, 200), From: 190, Died: 250}})
	require.False(t, joined.Sealed)
	joined, _ = ledger.Lives([]ledger.Life{{}, {Book: kept(true, 200), From: 190}})
	require.Nil(t, joined, "a book that is missing leaves nothing to go by")
}
