package ledger_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

const backends = 3

// anyBooks draws books of up to ten exchanges in which every field that a rule
// reads is now plausible, now nonsense. All of it happens within half a second.
func anyBooks(t *rapid.T) *scene {
	s := newScene(backends)
	n := rapid.IntRange(1, 10).Draw(t, "exchanges")
	for seq := uint64(1); seq <= uint64(n); seq++ {
		c := s.client(seq)
		for range rapid.IntRange(0, 3).Draw(t, "attempts") {
			bendAttempt(t, s, seq)
		}
		bendClient(t, c)
	}
	for range rapid.IntRange(0, 3).Draw(t, "strays") {
		a, d := s.attempt(rapid.IntRange(1, backends).Draw(t, "at"), rapid.Uint64Range(1, 20).Draw(t, "stray"))
		a.Time, a.Whole, d.FirstByte, d.Time = at(1), at(1), at(1), at(1)
		a.Flags |= rapid.SampledFrom([]book.BackendFlags{0, book.NoID, book.NoID | book.HeadBad}).Draw(t, "id")
		a.Run = rapid.SampledFrom([]uint64{run, run, run + 1}).Draw(t, "run")
	}
	for range rapid.IntRange(0, 3).Draw(t, "receipts") {
		s.receipt(anyReceipt(t))
	}
	for _, b := range s.Backends {
		b.Sealed = rapid.IntRange(0, 5).Draw(t, "sealed") > 0
	}
	return s
}

func anyReceipt(t *rapid.T) book.Receipt {
	from := at(1) + rapid.Int64Range(0, 10).Draw(t, "from")*ms
	return book.Receipt{
		Link: rapid.Uint16Range(0, backends).Draw(t, "link"), Conn: rapid.Uint32Range(0, 1).Draw(t, "conn"),
		InPort: rapid.Uint16Range(30001, 30010).Draw(t, "in"), OutPort: rapid.Uint16Range(40001, 40010).Draw(t, "out"),
		Cut: rapid.Uint8Range(0, 1).Draw(t, "cut"), From: from, Until: from + rapid.Int64Range(0, 300).Draw(t, "until")*ms,
	}
}

func maybe[T any](t *rapid.T, name string, field *T, values ...T) {
	if rapid.IntRange(0, 2).Draw(t, name+"?") == 0 {
		*field = rapid.SampledFrom(values).Draw(t, name)
	}
}

func bendClient(t *rapid.T, c *book.Client) {
	c.Intended, c.Started = at(1), at(1)
	c.FirstByte, c.Ended = at(1)+3*ms, at(1)+3*ms
	maybe(t, "end", &c.End, book.EndNone, book.EndBodiless, book.EndLastChunk, book.EndClose, book.EndTunnel, book.EndCut, book.EndReset, book.EndTimeout, book.EndAbandoned, book.EndRefused, book.EndMalformed, book.EndOpen)
	maybe(t, "method", &c.Method, book.HEAD, book.POST, book.OPTIONS)
	for _, f := range []book.ClientFlags{book.SentAll, book.Idempotent, book.Echoed, book.EchoForeign, book.BodyForeign, book.WholeHead, book.Plain, book.Scripted, book.HalfClosed, book.OldClient} {
		if rapid.IntRange(0, 4).Draw(t, "flag") == 0 {
			c.Flags ^= f
		}
	}
	maybe(t, "status", &c.Status, 0, 101, 204, 301, 404, 500, 502, 504)
	maybe(t, "foreign", &c.Foreign, 0, 3)
	maybe(t, "bytes", &c.RespBytes, 0, 10, 50, 70)
	maybe(t, "bad", &c.RespBad, 0, 45)
	maybe(t, "sum", &c.RespSum, 1, 2)
	maybe(t, "body", &c.ReqBytes, 1000)
	maybe(t, "sent", &c.ReqSent, 500, 1000)
	maybe(t, "reqsum", &c.ReqSum, 77)
	maybe(t, "seen", &c.FirstByte, 0, at(1)+200*ms)
	maybe(t, "ended", &c.Ended, at(1)+200*ms)
	maybe(t, "started", &c.Started, 0, at(1)+ms)
	maybe(t, "conn", &c.Conn, 1, 2)
	maybe(t, "nth", &c.Nth, 2)
}

func bendAttempt(t *rapid.T, s *scene, seq uint64) {
	backend := rapid.IntRange(1, backends).Draw(t, "backend")
	a, d := s.attempt(backend, seq)
	a.Time, a.Whole, d.FirstByte, d.Time = at(1)+ms, at(1)+ms, at(1)+2*ms, at(1)+2*ms
	maybe(t, "when", &a.Time, at(1)+2*ms, at(1)+4*ms)
	maybe(t, "aflags", &a.Flags, 0, book.HeadWhole)
	maybe(t, "areq", &a.ReqBytes, 400, 1000, 1001)
	maybe(t, "asum", &a.ReqSum, 77)
	maybe(t, "abad", &a.ReqBad, 100)
	maybe(t, "place", &a.Nth, 2)
	maybe(t, "dstatus", &d.Status, 0, 101, 204, 404, 417, 500, 503)
	maybe(t, "dend", &d.End, book.EndClose, book.EndCut, book.EndReset, book.EndOpen, book.EndTunnel)
	for _, f := range []book.BackendFlags{book.AnswerBegun, book.AnswerWhole, book.BodyWhole, book.PeerGone, book.RawSurplus, book.RawHead} {
		if rapid.IntRange(0, 4).Draw(t, "dflag") == 0 {
			d.Flags ^= f
		}
	}
	maybe(t, "dbytes", &d.RespBytes, 0, 10, 99)
	maybe(t, "dbad", &d.RespBad, 0, 45)
	maybe(t, "dsum", &d.RespSum, 1, 2)
	maybe(t, "dreq", &d.ReqBytes, 400, 1000)
	maybe(t, "dtime", &d.Time, 0, at(1)+50*ms, at(1)+250*ms)
	d.Nth = a.Nth
	if rapid.IntRange(0, 9).Draw(t, "silent") == 0 {
		b := s.Backends[backend-1]
		b.Departures = b.Departures[:len(b.Departures)-1]
	}
}

// settled is what a ledger says of its exchanges, in a form to compare.
type settled struct {
	outcome                ledger.Outcome
	rule, why              string
	avoidable, unavoidable bool
}

func all(l *ledger.Ledger) map[uint64]settled {
	m := map[uint64]settled{}
	for e := range l.All() {
		m[e.Seq] = settled{e.Outcome, e.Rule, e.Why, e.Avoidable, e.Unavoidable}
	}
	return m
}

func TestOutcomesPartitionWhatWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyBooks(t)
		l := s.join(t)
		sent, unsent := 0, 0
		for _, c := range s.Client.Clients {
			if c.Started == 0 {
				unsent++
				require.Equal(t, ledger.None, l.Outcome(c.Seq))
				continue
			}
			sent++
			require.NotEqual(t, ledger.None, l.Outcome(c.Seq))
			require.NotEmpty(t, l.Explain(c.Seq))
		}
		sum, damaged, failed, avoidable, unavoidable := 0, 0, 0, 0, 0
		counts := map[ledger.Outcome]int{}
		for _, e := range all(l) {
			counts[e.outcome]++
			if e.avoidable {
				avoidable++
				require.True(t, e.outcome.Failed())
			}
			if e.unavoidable {
				unavoidable++
				require.True(t, e.outcome.Damaged())
			}
			damaged += count(e.outcome.Damaged())
			failed += count(e.outcome.Failed())
		}
		for _, o := range ledger.Outcomes() {
			require.Equal(t, counts[o], l.Count(o), o)
			sum += l.Count(o)
		}
		require.Equal(t, []int{sent, sent, unsent, damaged, failed, avoidable, unavoidable}, []int{l.Sent(), sum, l.Unsent(), l.Damaged(), l.Failed(), l.Avoidable(), l.Unavoidable()})
		broke := map[uint64]bool{}
		for _, v := range l.Invariants() {
			if v.Invariant != "I6" {
				broke[v.Seq] = true
				require.True(t, l.Outcome(v.Seq).Damaged())
			}
		}
		require.Len(t, broke, damaged)
	})
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

func TestTheOrderOfRecordsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyBooks(t)
		before := s.join(t)
		want, broken, lines := all(before), before.Invariants(), map[uint64][]ledger.Moment{}
		for seq := range want {
			lines[seq] = before.Explain(seq)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shuffle(r, s.Client.Clients)
		for _, b := range s.Backends {
			shuffle(r, b.Arrivals)
			shuffle(r, b.Departures)
		}
		if s.Faults != nil {
			shuffle(r, s.Faults.Receipts)
		}
		l := s.join(t)
		require.Equal(t, want, all(l))
		require.Equal(t, before.Phantom(), l.Phantom())
		require.ElementsMatch(t, broken, l.Invariants())
		for seq := range want {
			require.Equal(t, lines[seq], l.Explain(seq))
		}
	})
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func TestLosingARecordAccusesNobodyAnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyBooks(t)
		before := s.join(t)
		outcomes, accused := all(before), map[uint64]bool{}
		for _, v := range before.Invariants() {
			accused[v.Seq] = true
		}
		i := rapid.IntRange(0, backends-1).Draw(t, "book")
		b := s.Backends[i]
		gone := rapid.Bool().Draw(t, "gone")
		if gone {
			s.Backends[i] = nil
		} else { // it broke off somewhere
			b.Sealed = false
			b.Arrivals = b.Arrivals[:rapid.IntRange(0, len(b.Arrivals)).Draw(t, "arrivals")]
			b.Departures = b.Departures[:rapid.IntRange(0, len(b.Departures)).Draw(t, "departures")]
		}
		after := s.join(t)
		for seq, now := range all(after) {
			was := outcomes[seq].outcome
			if now.outcome == was || now.outcome == ledger.Unverified || now.outcome == ledger.Indeterminate || now.outcome == ledger.Abandoned {
				continue
			}
			require.True(t, accused[seq], "%s became %s by %s: %s", was, now.outcome, now.rule, now.why)
			require.Greater(t, now.outcome, was, "an accusation can only fall back to a lesser one")
		}
	})
}

func TestAFaultOnlyExcuses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyBooks(t)
		before := all(s.join(t))
		s.receipt(anyReceipt(t))
		for seq, now := range all(s.join(t)) {
			was := before[seq]
			if !was.outcome.Damaged() {
				require.Equal(t, was.outcome, now.outcome)
			}
			require.False(t, was.unavoidable && now.outcome.Damaged() && !now.unavoidable)
		}
	})
}

// More evidence about a delivered exchange accuses only by what it holds itself:
// a second run, or an upload that was harmed there.
func TestMoreEvidenceAccusesOnlyByItsOwnContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyBooks(t)
		before := s.join(t)
		n := uint64(len(s.Client.Clients))
		seq := rapid.Uint64Range(1, n).Draw(t, "seq")
		bendAttempt(t, s, seq)
		after := s.join(t)
		for other := uint64(1); other <= n; other++ {
			was, now := before.Outcome(other), after.Outcome(other)
			if other != seq {
				require.Equal(t, was, now, "what is known of one exchange says nothing of another")
				continue
			}
			if was != ledger.Delivered || now == ledger.Delivered {
				continue
			}
			e, _ := after.Exchange(other)
			require.Contains(t, []string{"upload", "ran-twice", "second-run-unrecorded"}, e.Rule, e.Why)
			if e.Rule == "ran-twice" {
				require.Zero(t, e.Client.Flags&book.Idempotent)
				require.Greater(t, len(e.Attempts), 1)
			}
		}
	})
}

func TestJoiningTwiceIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyBooks(t)
		a, b := s.join(t), s.join(t)
		require.Equal(t, all(a), all(b))
		require.True(t, slices.Equal(a.Invariants(), b.Invariants()))
	})
}
