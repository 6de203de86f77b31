package load_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/wire"
)

func TestEveryPlannedRequestIsSentOnce(t *testing.T) {
	addr := serve(t, func(string) string { return plain })
	l := read(t, "{name: steady, rate: 500/s, for: 400ms, burst: {size: 50, every: 100ms}, max_workers: 8}")
	begin := time.Now()
	res, got := attackAs(t, load.Config{Target: wire.Target{Address: addr}, Load: l, Begin: begin, Group: 4})
	require.EqualValues(t, 400, res.Planned)
	require.EqualValues(t, 400, res.Sent)
	require.False(t, res.Short())
	require.InDelta(t, 1.0, res.Offered(), 0)
	require.LessOrEqual(t, res.Workers, uint64(8))
	require.EqualValues(t, 8, res.MaxWorkers)
	require.Equal(t, "steady", res.Name)

	plan, err := l.Plan()
	require.NoError(t, err)
	var intended, want []int64
	for i, r := range got {
		require.Equal(t, book.EndLength, r.End)
		require.EqualValues(t, 4, r.Group)
		require.LessOrEqual(t, r.Intended, r.Started, "nothing starts before its time")
		intended = append(intended, r.Intended)
		want = append(want, begin.Add(plan[i]).UnixNano())
	}
	slices.Sort(intended)
	require.Equal(t, want, intended)
}

func TestConnectionsAreKeptOrNot(t *testing.T) {
	addr := serve(t, func(string) string { return plain })
	for text, conns := range map[string]int{"true": 1, "false": 20} {
		_, got := attack(t, addr, read(t, "{rate: 200/s, for: 100ms, max_workers: 1, keep_alive: "+text+"}"))
		seen := map[uint32]bool{}
		for _, r := range got {
			seen[r.Conn] = true
		}
		require.Len(t, seen, conns)
	}
}

func TestNothingIsRepeatedOrFollowed(t *testing.T) {
	var asked atomic.Int64
	addr := serve(t, func(string) string {
		switch asked.Add(1) % 3 {
		case 0:
			return "" // the connection ends without an answer
		case 1:
			return "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
		}
		return "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
	})
	res, got := attack(t, addr, read(t, "{rate: 300/s, for: 200ms, max_workers: 1}"))
	require.EqualValues(t, 60, res.Sent)
	require.EqualValues(t, 60, asked.Load(), "each was asked once")
	ends := map[book.End]int{}
	for _, r := range got {
		ends[r.End]++
	}
	require.Equal(t, map[book.End]int{book.EndBodiless: 40, book.EndCut: 20}, ends)
}

func TestARefusedLoadIsOffered(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	res, got := attack(t, l.Addr().String(), read(t, "{rate: 500/s, for: 100ms}"))
	require.EqualValues(t, 50, res.Sent)
	for _, r := range got {
		require.Equal(t, book.EndRefused, r.End)
	}
}

func TestClientsThatHangUp(t *testing.T) {
	addr := serve(t, func(string) string { return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello" })
	before := descriptors(t)
	res, got := attack(t, addr, read(t, "{rate: 400/s, for: 200ms, abandon: {share: 1, after: 20ms}}"))
	require.EqualValues(t, 80, res.Sent)
	for _, r := range got {
		require.Equal(t, book.EndAbandoned, r.End)
		require.GreaterOrEqual(t, r.Ended-r.Intended, int64(20*time.Millisecond))
	}
	require.Eventually(t, func() bool { return descriptors(t) <= before+1 }, patience, time.Millisecond)
}

func TestAHungTargetEndsTheLoadShort(t *testing.T) {
	release := make(chan struct{})
	addr := serve(t, func(string) string { <-release; return plain })
	defer close(release)
	res, got := attack(t, addr, read(t, "{rate: 100/s, for: 300ms, max_workers: 2, deadline: 200ms}"))
	require.EqualValues(t, 30, res.Planned)
	require.Less(t, res.Sent, uint64(20))
	require.True(t, res.Short())
	require.Positive(t, res.Late)
	require.Greater(t, res.MaxLate, load.LateAfter)
	for _, r := range got {
		require.Equal(t, book.EndTimeout, r.End)
	}
}

func TestWhoseDoingALateStartIs(t *testing.T) {
	addr := serve(t, func(string) string { return plain })
	res, _ := attackAs(t, load.Config{
		Target: wire.Target{Address: addr}, Load: read(t, "{rate: 100/s, for: 100ms, max_workers: 64}"), Begin: time.Now().Add(-time.Second),
	})
	require.EqualValues(t, 10, res.Late)
	require.EqualValues(t, 10, res.Starved, "workers were free all the time")

	release := make(chan struct{})
	hung := serve(t, func(string) string { <-release; return plain })
	defer close(release)
	res, _ = attack(t, hung, read(t, "{rate: 100/s, for: 300ms, max_workers: 2, deadline: 200ms}"))
	require.Positive(t, res.Late)
	require.LessOrEqual(t, res.Starved, uint64(2), "all others waited for the target")
}

func TestALoadEndsWhenItIsEnough(t *testing.T) {
	addr := serve(t, func(string) string { return plain })
	enough := make(chan struct{})
	var once sync.Once
	res, got := attackAs(t, load.Config{
		Target: wire.Target{Address: addr}, Load: read(t, "{rate: 100/s, for: 1h}"), Enough: enough,
		Observe: func(book.Client) { once.Do(func() { close(enough) }) },
	})
	require.True(t, res.Short())
	for _, r := range got {
		require.Equal(t, book.EndLength, r.End, "what was under way ended as it does")
	}
}

func TestTheOfferedRule(t *testing.T) {
	require.True(t, load.Result{Planned: 1000, Sent: 989}.Short())
	require.False(t, load.Result{Planned: 1000, Sent: 990}.Short())
	require.False(t, load.Result{}.Short())
	require.InDelta(t, .989, load.Result{Planned: 1000, Sent: 989}.Offered(), 1e-9)
}

func TestABrokenOffLoadAccusesNobody(t *testing.T) {
	release := make(chan struct{})
	addr := serve(t, func(string) string { <-release; return plain })
	defer close(release)
	path := filepath.Join(t.TempDir(), "client.book")
	w, err := book.Create(path, book.Header{Kind: book.ClientBook, Run: run})
	require.NoError(t, err)
	ids := wire.NewIDs(run)
	ctx, cancel := context.WithCancelCause(t.Context())
	broken := errors.New("broken off")
	var once sync.Once
	time.AfterFunc(100*time.Millisecond, func() { once.Do(func() { cancel(broken) }) })
	res, err := load.Run(ctx, load.Config{Target: wire.Target{Address: addr}, Load: read(t, "{rate: 100/s, for: 1h}"), IDs: ids, Book: w})
	require.ErrorIs(t, err, broken)
	require.True(t, res.Short())
	require.NoError(t, w.Seal())
	b, err := book.Read(path)
	require.NoError(t, err)
	require.Len(t, b.Clients, int(res.Sent))
	for _, r := range b.Clients {
		require.Equal(t, book.EndAbandoned, r.End)
	}
}

func TestAFailingBookFailsTheLoad(t *testing.T) {
	addr := serve(t, func(string) string { return plain })
	w, err := book.Create(filepath.Join(t.TempDir(), "client.book"), book.Header{Kind: book.ClientBook, Run: run})
	require.NoError(t, err)
	require.NoError(t, w.Seal())
	_, err = load.Run(t.Context(), load.Config{Target: wire.Target{Address: addr}, Load: load.Load{Rate: 100, For: units.Duration(time.Hour)}, IDs: wire.NewIDs(run), Book: w})
	require.ErrorIs(t, err, book.ErrSealed)
}

func TestObserversSeeEveryRecord(t *testing.T) {
	addr := serve(t, func(string) string { return plain })
	var mu sync.Mutex
	var seen []uint64
	_, got := attackAs(t, load.Config{Target: wire.Target{Address: addr}, Load: read(t, "{rate: 500/s, for: 100ms}"), Observe: func(r book.Client) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Seq)
	}})
	slices.Sort(seen)
	require.Len(t, slices.Compact(seen), len(got))
}
