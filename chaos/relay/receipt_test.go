package relay_test

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gauntlet/chaos"
	"gauntlet/chaos/relay"
	"gauntlet/fixtures/book"
)

func TestOneReceiptForEachConnectionTouchedAndNoneElse(t *testing.T) {
	r := newRig(t, 5, relay.Window{Name: "some", Fault: spec(t, "{reset: {after: 3}}"), Share: 0.5, From: 0}, relay.Window{Fault: spec(t, "{latency: {delay: 1ms}}"), From: time.Hour})
	type ports struct{ in, out uint16 }
	hit := map[ports]bool{}
	r.begin()
	for range 40 {
		near, far := r.pair()
		send(t, near, "12345")
		got := make([]byte, 5)
		n, err := io.ReadFull(far, got)
		if n == 3 {
			requireReset(t, err)
			hit[ports{port(near.LocalAddr()), port(far.RemoteAddr())}] = true
			continue
		}
		require.NoError(t, err)
		idle, _ := r.pair() // connections that carry nothing are not touched
		require.NoError(t, idle.Close())
		require.NoError(t, near.Close())
		require.NoError(t, far.Close())
	}
	rec := r.receipts()
	require.NotEmpty(t, hit)
	require.Less(t, len(hit), 40)
	require.Len(t, rec, len(hit))
	for _, one := range rec {
		require.True(t, hit[ports{one.InPort, one.OutPort}], one)
		require.EqualValues(t, 1, one.Window)
		require.EqualValues(t, 3, one.Link)
		require.NotZero(t, one.Conn)
		require.EqualValues(t, 2, one.Bytes)
		require.NotZero(t, one.From)
		require.GreaterOrEqual(t, one.Until, one.From)
	}
}

func TestAWindowActsOnOpenConnectionsAndEnds(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{latency: {delay: 50ms}}"), From: 100 * time.Millisecond, Until: 600 * time.Millisecond})
	near, far := r.pair()
	r.echo(far)
	t0 := time.Now()
	r.relay.Begin(t0)
	slow, fast := 0, 0
	for fast == 0 || time.Since(t0) < 600*time.Millisecond {
		require.Less(t, time.Since(t0), patience)
		began := time.Now()
		send(t, near, "ping")
		receive(t, near, "ping")
		if time.Since(began) >= 100*time.Millisecond {
			slow++
		} else if time.Since(t0) > 600*time.Millisecond {
			fast++
		}
	}
	require.Positive(t, slow)
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.GreaterOrEqual(t, rec[0].From, t0.Add(100*time.Millisecond).UnixNano())
	require.Less(t, rec[0].Until, time.Now().UnixNano())
}

func TestTwoWindowsActTogetherEachWithItsReceipt(t *testing.T) {
	r := newRig(t, 1,
		relay.Window{Fault: spec(t, "{latency: {delay: 60ms}}"), Direction: chaos.Down},
		relay.Window{Fault: spec(t, "{cut: {after: 4}}"), Direction: chaos.Down})
	near, far := r.pair()
	r.begin()
	began := time.Now()
	send(t, far, "12345678")
	got, err := rest(near)
	require.NoError(t, err)
	require.Equal(t, "1234", got)
	require.GreaterOrEqual(t, time.Since(began), 60*time.Millisecond)
	require.NoError(t, near.Close())
	require.NoError(t, far.Close())
	rec := r.receipts()
	require.Len(t, rec, 2)
	require.NotEqual(t, rec[0].Window, rec[1].Window)
	for _, one := range rec {
		require.Equal(t, map[uint16]uint8{1: 0, 2: 1}[one.Window], one.Cut)
		require.Equal(t, map[uint16]int64{1: 8, 2: 4}[one.Window], one.Bytes)
	}
}

// story runs the same traffic and tells what became of it.
func story(t *testing.T, seed uint64) (told []string) {
	r := newRig(t, seed, relay.Window{Fault: spec(t, "{reset: {after: {between: [1, 100]}}}"), Share: 0.6})
	r.begin()
	for range 20 {
		near, far := r.pair()
		send(t, near, fmt.Sprintf("%0100d", 7))
		_ = near.CloseWrite() // the reset may be faster
		got, err := rest(far)
		told = append(told, fmt.Sprint(len(got), err != nil))
		require.NoError(t, near.Close())
		require.NoError(t, far.Close())
	}
	var bytes []string
	for _, one := range r.receipts() {
		bytes = append(bytes, fmt.Sprint(one.Conn, one.Bytes))
	}
	require.NotEmpty(t, bytes)
	return told
}

func TestASeedTellsTheSameStory(t *testing.T) {
	first := story(t, 42)
	require.Equal(t, first, story(t, 42))
	require.NotEqual(t, first, story(t, 43))
}

func TestAReceiptThatCannotBeWrittenIsAnError(t *testing.T) {
	path := t.TempDir() + "/book"
	w, err := book.Create(path, book.Header{Kind: book.FaultBook})
	require.NoError(t, err)
	require.NoError(t, w.Seal())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	r, err := relay.Start(t.Context(), relay.Config{Listen: "127.0.0.1:0", To: ln.Addr().String(), Book: w, Windows: []relay.Window{{Number: 1, Fault: chaos.Refuse{}}}})
	require.NoError(t, err)
	r.Begin(time.Now())
	require.ErrorIs(t, r.Close(), book.ErrSealed)
}

func TestAConfigThatCannotBeIsRefused(t *testing.T) {
	ok := relay.Window{Number: 1, Name: "w", Fault: chaos.Reset{}}
	for want, change := range map[string]func(*relay.Window){
		"relay: windows[0] w: found no fault; allowed: one":                                                 func(w *relay.Window) { w.Fault = nil },
		"relay: windows[0] w: found number 0; allowed: one from 1 that no other window of the link has":     func(w *relay.Window) { w.Number = 0 },
		"relay: windows[0] w: found from 2s until 1s; allowed: a beginning before its end":                  func(w *relay.Window) { w.From, w.Until = 2*time.Second, time.Second },
		"relay: windows[0] w: found share 1.5; allowed: above 0 to 1":                                       func(w *relay.Window) { w.Share = 1.5 },
		"relay: windows[0] w: found share 0.5; allowed: all, since refuse acts on the link as a whole":      func(w *relay.Window) { w.Fault, w.Share = chaos.Refuse{}, 0.5 },
		"relay: windows[0] w: found direction up; allowed: none, since blackhole(connect) acts on connects": func(w *relay.Window) { w.Fault, w.Direction = chaos.BlackholeConnect{}, chaos.Up },
		"relay: windows[0] w: found direction both for half-close; allowed: up, down":                       func(w *relay.Window) { w.Fault, w.Direction = chaos.HalfClose{}, chaos.Both },
		`relay: windows[0] w: found direction "left"; allowed: up, down, both`:                              func(w *relay.Window) { w.Direction = "left" },
	} {
		w := ok
		change(&w)
		_, err := relay.Start(t.Context(), relay.Config{Listen: "127.0.0.1:0", To: "127.0.0.1:1", Windows: []relay.Window{w}})
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, relay.ErrConfig)
	}
	_, err := relay.Start(t.Context(), relay.Config{Listen: "127.0.0.1:0", Windows: []relay.Window{{Number: 1, Fault: chaos.Refuse{}, Until: 2}, {Number: 2, Fault: chaos.BlackholeConnect{}, From: 1}}})
	require.ErrorContains(t, err, "found blackhole(connect) while refuse is open; allowed: one fault on connects at a time")
	_, err = relay.Start(t.Context(), relay.Config{Listen: "127.0.0.1:0", Windows: []relay.Window{ok, ok}})
	require.ErrorContains(t, err, "found number 1")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	_, err = relay.Start(t.Context(), relay.Config{Listen: ln.Addr().String()})
	require.ErrorIs(t, err, relay.ErrConfig)
}

// TestAWindowThatLiftsAsConnectionsEnd lifts a window each millisecond while
// connections come and go, so that both want the same tally: it is written once.
func TestAWindowThatLiftsAsConnectionsEnd(t *testing.T) {
	windows := make([]relay.Window, 400)
	for i := range windows {
		from := time.Duration(i) * time.Millisecond
		windows[i] = relay.Window{Fault: spec(t, "{slicer: {size: 2}}"), From: from, Until: from + 3*time.Millisecond}
	}
	r := newRig(t, 1, windows...)
	r.begin()
	var clients sync.WaitGroup
	done := make(chan struct{})
	r.wg.Go(func() {
		for {
			select {
			case c := <-r.far:
				r.echo(c)
			case <-done:
				return
			}
		}
	})
	for range 8 {
		clients.Go(func() {
			for range 150 {
				c, err := dial(r.relay.Addr(), patience)
				if !assert.NoError(t, err) {
					return
				}
				_, _ = c.Write([]byte("12345"))
				_, _ = io.ReadFull(c, make([]byte, 5))
				_ = c.Close()
			}
		})
	}
	clients.Wait()
	type key struct {
		window uint16
		conn   uint32
	}
	times := map[key]int{}
	close(done)
	for _, one := range r.receipts() {
		times[key{one.Window, one.Conn}]++
	}
	require.Greater(t, len(times), 100)
	for k, n := range times {
		require.Equal(t, 1, n, "window %d wrote of connection %d", k.window, k.conn)
	}
}
