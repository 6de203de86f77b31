package relay_test

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos/relay"
)

// pattern is the k-th byte that the n-th connection sends.
func pattern(n uint32, k int) byte { return byte(uint32(k)*2654435761>>16 ^ n) }

// TestWhateverHappensBytesAreAPrefix opens many connections under many windows
// at once: what arrives is always a prefix of what was sent, whole unless a
// receipt says that the window cut it, and nobody waits for ever.
func TestWhateverHappensBytesAreAPrefix(t *testing.T) {
	var windows []relay.Window
	for i, text := range []string{"{latency: {delay: 5ms, jitter: 5ms}}", "{slicer: {size: 100}}", "{bandwidth: {rate: 4MiB/s}}", "{blackhole: data}", "{reset: {after: {between: [0, 60KiB]}}}", "{cut: {after: {between: [0, 60KiB]}}}", "{half-close: {after: 30KiB}}", "{spikes: {delay: 20ms, chance: 10%}}", "{stall: {after: 30KiB, for: 30ms}}", "{slow-close: {delay: 20ms}}", "{timeout: {after: 50ms}}", "surplus: {size: 3}", "refuse"} {
		from := time.Duration(i*40) * time.Millisecond
		w := relay.Window{Fault: spec(t, text), From: from, Until: from + 150*time.Millisecond, Share: 0.4}
		switch {
		case text == "refuse":
			w.Share = 0
		case strings.HasPrefix(text, "{cut"): // at any time, so that some bytes are lost however slow the machine
			w.From, w.Until = 0, 0
		}
		windows = append(windows, w)
	}
	r := newRig(t, 9, windows...)
	r.begin()
	const size = 200 << 10
	var ended atomic.Int64
	var mu sync.Mutex
	short := map[uint16]bool{} // near ports whose upload did not arrive whole
	var far sync.WaitGroup
	stop, stopped := make(chan struct{}), make(chan struct{})
	r.wg.Go(func() {
		defer close(stopped)
		for {
			select {
			case c := <-r.far:
				far.Go(func() { sink(t, c, size, &ended, &mu, short) })
			case <-stop:
				return
			}
		}
	})
	var near sync.WaitGroup
	for n := range uint32(8) {
		near.Go(func() {
			chance := rand.New(rand.NewPCG(1, uint64(n)))
			for k := n; k < 160; k += 8 {
				upload(r.relay.Addr(), k, size, chance)
			}
		})
	}
	near.Wait()
	require.Eventually(t, func() bool { return len(r.far) == 0 }, patience, time.Millisecond)
	close(stop)
	<-stopped
	far.Wait()
	cut := map[uint16]bool{}
	for _, one := range r.receipts() {
		if one.Cut == 1 {
			cut[one.OutPort] = true
		}
	}
	require.Greater(t, ended.Load(), int64(60))
	require.NotEmpty(t, short)
	require.Less(t, len(short), int(ended.Load()))
	for p := range short {
		require.True(t, cut[p], "port %d lost bytes and no receipt says why", p)
	}
}

// upload sends one connection's pattern, its number first, and waits for the end.
func upload(addr string, n uint32, size int, chance *rand.Rand) {
	c, err := dial(addr, patience)
	for until := time.Now().Add(patience); err != nil && time.Now().Before(until); c, err = dial(addr, patience) {
		time.Sleep(10 * time.Millisecond) // refused for a while
	}
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	text := binary.BigEndian.AppendUint32(nil, n)
	for k := range size {
		text = append(text, pattern(n, k))
	}
	for len(text) > 0 {
		part := min(len(text), 1+chance.IntN(40_000))
		if _, err := c.Write(text[:part]); err != nil {
			break
		}
		text = text[part:]
	}
	_ = c.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, c)
}

// sink reads one connection to its end and checks every byte.
func sink(t *testing.T, c *net.TCPConn, size int, ended *atomic.Int64, mu *sync.Mutex, short map[uint16]bool) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(c)
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Error("waited for ever")
	}
	ended.Add(1)
	if len(got) < 4+size {
		mu.Lock()
		short[port(c.RemoteAddr())] = true
		mu.Unlock()
	}
	if len(got) < 4 {
		return
	}
	n := binary.BigEndian.Uint32(got)
	for k, b := range got[4:] {
		if b != pattern(n, k) {
			t.Errorf("connection %d: byte %d is not the one sent", n, k)
			return
		}
	}
}
