package ledger_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

func TestBooksThatContradictThemselvesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(*bent)
		says string
	}{
		"no client book":            {func(b *bent) { b.Client = nil }, "there is no client book"},
		"another run's client book": {func(b *bent) { b.Client.Run = 1 }, "client: a book of run 1, not 5eed"},
		"another run's backend":     {func(b *bent) { b.Backends[1].Run = 1 }, "backend 2: a book of run 1, not 5eed"},
		"a book of another kind":    {func(b *bent) { b.Backends[0].Kind = book.FaultBook }, "backend 1: a book of kind 'F'"},
		"a fault book that is none": {func(b *bent) { b.Faults = b.Client }, "faults: a book of kind 'C'"},
		"books in disorder":         {func(b *bent) { slices.Reverse(b.Backends) }, "the book of backend 2 stands in the place of backend 1"},
		"an arrival at another":     {func(b *bent) { b.a.Backend = 2 }, "the book of backend 1 has an arrival at backend 2"},
		"two records of one client": {func(b *bent) { b.client(1) }, "two client records of exchange 1"},
		"exchange 0":                {func(b *bent) { b.c.Seq = 0 }, "exchange 0"},
		"numbers that are sparse":   {func(b *bent) { b.c.Seq = 1 << 40 }, "numbers must be dense"},
		"two arrivals of one request": {func(b *bent) {
			a, d := b.attempt(1, 1)
			a.Conn, d.Conn = 1, 9
		}, "two arrivals of request 1 on connection 1"},
		"two arrivals among three": {func(b *bent) {
			b.attempt(2, 1)
			a, d := b.attempt(1, 1)
			a.Conn, d.Conn = 1, 9
		}, "two arrivals of request 1 on connection 1"},
		"two departures of one request": {func(b *bent) {
			b.Backends[0].Departures = append(b.Backends[0].Departures, *b.d)
		}, "two departures of request 1 on connection 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.Join(bend(c.bend).Books)
			require.ErrorIs(t, err, ledger.ErrBooks)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestWhatStandsOutsideTheSum(t *testing.T) {
	s := newScene(2)
	s.client(1).Flags |= book.Surplus
	s.attempt(1, 1)
	s.client(2).Started = 0 // planned, never sent
	s.client(4)             // 3 was given out and never came about
	s.attempt(2, 4)

	for _, seq := range []uint64{2, 3, 5, 1 << 40} {
		s.attempt(1, seq) // nobody sent these
	}
	a, _ := s.attempt(2, 1)
	a.Flags, a.Seq, a.Run = a.Flags|book.NoID, 0, 0
	a, _ = s.attempt(2, 1)
	a.Flags, a.Seq, a.Run = a.Flags|book.NoID|book.HeadBad, 0, 0
	a, _ = s.attempt(2, 1)
	a.Run = run + 1

	l := s.join(t)
	require.Equal(t, 2, l.Sent())
	require.Equal(t, 2, l.Count(ledger.Delivered))
	require.Zero(t, l.Count(ledger.None))
	require.Equal(t, []int{1, 4, 1, 1, 1, 1}, []int{l.Unsent(), l.Phantom(), l.Anonymous(), l.Stranger(), l.Garbled(), l.Surplus()})
	require.False(t, l.Has(2))
	require.False(t, l.Has(1<<50))
	_, ok := l.Exchange(2)
	require.False(t, ok)
	require.Len(t, l.Attempts(3), 1, "a phantom's sighting can be asked for")
	require.Nil(t, l.Attempts(1<<40))
	require.Len(t, slices.Collect(l.Phantoms()), 4)
	var seqs []uint64
	for e := range l.All() {
		seqs = append(seqs, e.Seq)
	}
	require.Equal(t, []uint64{1, 4}, seqs)
	for e := range l.All() {
		require.EqualValues(t, 1, e.Seq)
		break
	}
	for a := range l.Phantoms() {
		require.EqualValues(t, 2, a.Seq)
		break
	}
	var of []string
	for _, v := range l.Invariants() {
		of = append(of, v.Invariant)
	}
	require.Equal(t, []string{"I6", "I6", "I6", "I6"}, of)
	require.NotEmpty(t, l.Explain(1<<40), "a phantom's line can be asked for")

	s.Client.Sealed = false
	l = s.join(t)
	require.Zero(t, l.Phantom(), "a client book that broke off does not say what nobody sent")
	require.Empty(t, slices.Collect(l.Phantoms()))
}

func TestDarkNamesWhatIsMissing(t *testing.T) {
	s := bend(func(*bent) {})
	require.Empty(t, s.join(t).Dark())
	s.Client.Sealed = false
	s.Backends[0].Sealed, s.Backends[0].Torn = false, true
	s.Backends[1] = nil
	s.receipt(book.Receipt{})
	s.Faults.Sealed = false
	require.Equal(t, []string{
		"the client book is not sealed", "the book of backend 1 ends within a record",
		"the book of backend 2 is missing", "the fault book is not sealed",
	}, s.join(t).Dark())
}

func TestTheBookOfABackendKilledOnPurposeMayBreakOff(t *testing.T) {
	s := bend(func(*bent) {})
	s.Backends[0].Sealed, s.Backends[0].Torn = false, true
	s.Backends[1].Sealed = false
	s.Died = []int64{0, at(1)}
	require.Equal(t, []string{"the book of backend 1 ends within a record"}, s.join(t).Dark())
	s.Backends[1] = nil
	require.Contains(t, s.join(t).Dark(), "the book of backend 2 is missing")
}

func TestAttemptsAreJoinedHoweverManyThereAre(t *testing.T) {
	s := newScene(2)
	s.client(1)
	const many = 5000
	for i := range many {
		a, d := s.attempt(1+i%2, 1)
		a.Time += int64(i)
		unanswered(d)
	}
	s.attempt(1, 1)
	slices.Reverse(s.Backends[0].Departures)
	l := s.join(t)
	require.Equal(t, ledger.Delivered, l.Outcome(1))
	tries := l.Attempts(1)
	require.Len(t, tries, many+1)
	for i, at := range tries {
		require.NotNil(t, at.Departure)
		require.Equal(t, [3]uint32{uint32(at.Arrival.Backend), at.Arrival.Conn, at.Arrival.Nth}, [3]uint32{uint32(at.Departure.Backend), at.Departure.Conn, at.Departure.Nth})
		if i > 0 {
			require.LessOrEqual(t, tries[i-1].Arrival.Time, at.Arrival.Time)
		}
	}
}

func TestDeparturesWithoutAnArrivalAreNobodys(t *testing.T) {
	s := bend(func(b *bent) {
		b.Backends[1].Departures = append(b.Backends[1].Departures, book.Departure{Seq: 1, Backend: 2, Conn: 1, Nth: 1}, book.Departure{Seq: 99, Backend: 2, Conn: 1, Nth: 2})
	})
	require.Equal(t, ledger.Delivered, s.join(t).Outcome(1))
}

func TestAnExchangeMayBreakSeveralInvariants(t *testing.T) {
	l := bend(func(b *bent) {
		post(b.c, b.a, b.d)
		a, d := b.attempt(2, 1)
		post(b.c, a, d)
		a.ReqBytes, a.ReqSum = 0, 0
		b.c.Flags |= book.EchoForeign
		b.c.Foreign, b.c.End = 7, book.EndTimeout
	}).join(t)
	require.Equal(t, ledger.Crosswired, l.Outcome(1))
	var broken []string
	for _, v := range l.Invariants() {
		broken = append(broken, v.Invariant)
		require.EqualValues(t, 1, v.Seq)
		require.False(t, v.Unavoidable)
	}
	require.Equal(t, []string{"I3", "I1", "I5", "I2"}, broken)
}

func TestWhyTellsBothSides(t *testing.T) {
	e, _ := bend(func(b *bent) {
		post(b.c, b.a, b.d)
		unanswered(b.d)
		a, d := b.attempt(2, 1)
		post(b.c, a, d)
		half(d)
		failed(b.c, 502)
	}).join(t).Exchange(1)
	require.Equal(t, "a request that is not idempotent reached backends whole more than once; the client: 502 with 12 bytes, ended by length after 3ms"+
		"; backend 1: had the request whole with 1000 bytes, gave no answer, ended by cut"+
		"; backend 2: had the request whole with 1000 bytes, answered 200 with 10 bytes and broke off by cut", e.Why)
}
