package relay_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos"
	"gauntlet/chaos/relay"
)

// echo answers every byte on the far side until the near one ends.
func (r *rig) echo(c io.ReadWriteCloser) {
	r.wg.Go(func() {
		_, _ = io.Copy(c, c)
		_ = c.Close()
	})
}

func TestLatencyDelaysAndKeepsOrderAndThroughput(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{latency: {delay: 100ms, jitter: 50ms}}")})
	near, far := r.pair()
	r.echo(far)
	trip := func() time.Duration {
		began := time.Now()
		send(t, near, "ping")
		receive(t, near, "ping")
		return time.Since(began)
	}
	before := trip()
	r.begin()
	during := trip()
	require.GreaterOrEqual(t, during, 100*time.Millisecond, "50 ms each way at least")
	require.Greater(t, during, 2*before)

	began := time.Now()
	var all strings.Builder
	for i := range 40 {
		part := strings.Repeat(string(rune('a'+i%26)), 50)
		all.WriteString(part)
		send(t, near, part)
		time.Sleep(time.Millisecond) // so that the parts travel one by one
	}
	receive(t, near, all.String())
	require.Less(t, time.Since(began), 40*50*time.Millisecond, "parts travel at the same time, or this takes 4 s")

	rec := r.receipts()
	require.Len(t, rec, 1)
	require.EqualValues(t, 2*(4+2000), rec[0].Bytes)
	require.Zero(t, rec[0].Cut)
	require.Greater(t, rec[0].Count, uint32(4))
	require.GreaterOrEqual(t, rec[0].Until-rec[0].From, int64(100*time.Millisecond))
}

func TestLatencyDelaysTheEndToo(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{latency: {delay: 100ms}}")})
	near, far := r.pair()
	r.begin()
	began := time.Now()
	require.NoError(t, near.Close())
	_, err := rest(far)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
	require.Len(t, r.receipts(), 1)
}

func TestBandwidthIsAsNamed(t *testing.T) {
	took := map[string]time.Duration{}
	for _, rate := range []string{"64KiB/s", "256KiB/s"} {
		r := newRig(t, 1, relay.Window{Fault: spec(t, "{bandwidth: {rate: "+rate+"}}"), Direction: chaos.Down})
		near, far := r.pair()
		r.begin()
		began := time.Now()
		send(t, near, strings.Repeat("u", 1<<20)) // the other direction is free
		receive(t, far, strings.Repeat("u", 1<<20))
		require.Less(t, time.Since(began), 4*time.Second)
		began = time.Now()
		text := strings.Repeat("d", 64<<10)
		send(t, far, text)
		receive(t, near, text)
		took[rate] = time.Since(began)
		rec := r.receipts()
		require.Len(t, rec, 1)
		require.EqualValues(t, 64<<10, rec[0].Bytes)
	}
	require.GreaterOrEqual(t, took["64KiB/s"], 990*time.Millisecond)
	require.GreaterOrEqual(t, took["256KiB/s"], 240*time.Millisecond)
	require.Greater(t, took["64KiB/s"].Seconds()/took["256KiB/s"].Seconds(), 2.0)
}

func TestBandwidthHoldsTheSenderBackAndLetsGoAtTheEnd(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{bandwidth: {rate: 1KiB/s}}"), Until: time.Second})
	near, far := r.pair()
	r.begin()
	text := strings.Repeat("d", 8<<20) // over two hours at that rate
	r.wg.Go(func() { _, _ = near.Write([]byte(text)) })
	receive(t, far, text)
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.LessOrEqual(t, rec[0].Bytes, int64(64<<10), "no more than one read was taken in")
	require.Zero(t, rec[0].Cut)
}

func TestSlicerCutsWritesUp(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{slicer: {size: 3, gap: 20ms}}"), Direction: chaos.Up})
	near, far := r.pair()
	r.begin()
	send(t, near, "hello world")
	var parts []string
	for got := ""; got != "hello world"; {
		b := make([]byte, 100)
		n, err := far.Read(b)
		require.NoError(t, err)
		got += string(b[:n])
		parts = append(parts, string(b[:n]))
		require.True(t, strings.HasPrefix("hello world", got))
	}
	require.GreaterOrEqual(t, len(parts), 2)
	send(t, far, "whole")
	receive(t, near, "whole")
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.EqualValues(t, 11, rec[0].Bytes)
	require.EqualValues(t, 4, rec[0].Count)
}

func TestResetComesAfterExactlyItsBytesAtBothEnds(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{reset: {after: 10}}")})
	near, far := r.pair()
	r.begin()
	send(t, near, "1234567") // this way only seven
	receive(t, far, "1234567")
	send(t, far, "0123456789abcdef")
	got, err := rest(near)
	requireReset(t, err)
	require.Equal(t, "0123456789", got)
	got, err = rest(far)
	requireReset(t, err)
	require.Empty(t, got)
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.EqualValues(t, 1, rec[0].Cut)
	require.EqualValues(t, 6, rec[0].Bytes, "what was destroyed")
	require.EqualValues(t, 1, rec[0].Count)
}

func TestResetWithNothingToWaitForIsAtOnce(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "reset")})
	near, far := r.pair()
	receiveNothing := func() {
		for _, c := range []io.Reader{near, far} {
			_, err := io.ReadAll(c)
			requireReset(t, err)
		}
	}
	r.begin()
	receiveNothing()
	// The reset may be there before connect returns, and Linux reports it so.
	c, err := net.DialTimeout("tcp", r.relay.Addr(), patience)
	if err == nil {
		_, err = io.ReadAll(c)
	}
	requireReset(t, err)
	require.Len(t, r.receipts(), 2)
}

func TestResetReachesAPeerThatReadsNothing(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "reset"), From: 300 * time.Millisecond})
	near, far := r.pair()
	r.begin()
	_, err := near.Write(make([]byte, 256<<20)) // fills every buffer; nobody reads
	requirePipeOrReset(t, err)
	_, err = rest(far)
	requireReset(t, err)
	require.Len(t, r.receipts(), 1)
}

func TestCutIsAFinAtBothEndsAndSwallowsTheRest(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{cut: {after: 10}}"), Direction: chaos.Down})
	near, far := r.pair()
	r.begin()
	send(t, near, "any number of bytes may go this way")
	receive(t, far, "any number of bytes may go this way")
	send(t, far, "0123456789abcdef")
	for c, want := range map[io.ReadWriter]string{near: "0123456789", far: ""} {
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		_, err = c.Write([]byte("late"))
		require.NoError(t, err)
	}
	require.NoError(t, near.Close())
	require.NoError(t, far.Close())
	r.settled(1)
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.EqualValues(t, 1, rec[0].Cut)
	require.EqualValues(t, 6+4+4, rec[0].Bytes)
}

func TestHalfCloseLeavesTheOtherDirectionOpen(t *testing.T) {
	for _, direction := range []chaos.Direction{"", chaos.Up, chaos.Down} {
		r := newRig(t, 1, relay.Window{Fault: spec(t, "{half-close: {after: 4}}"), Direction: direction})
		near, far := r.pair()
		if direction == chaos.Down {
			near, far = far, near
		}
		r.begin()
		send(t, near, "question")
		got, err := rest(far)
		require.NoError(t, err)
		require.Equal(t, "ques", got)
		send(t, near, " and more")
		send(t, far, "a whole answer")
		require.NoError(t, far.Close())
		got, err = rest(near)
		require.NoError(t, err)
		require.Equal(t, "a whole answer", got)
		require.NoError(t, near.Close())
		r.settled(1)
		rec := r.receipts()
		require.Len(t, rec, 1)
		require.EqualValues(t, 1, rec[0].Cut)
		require.EqualValues(t, 4+9, rec[0].Bytes)
	}
}

func TestDataBlackholeHoldsEverythingBackUntilItEnds(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{blackhole: data}"), From: 0, Until: time.Second})
	near, far := r.pair()
	resetter, reset := r.pair()
	r.begin()
	began := time.Now()
	send(t, near, "into the dark")
	require.NoError(t, near.CloseWrite())
	send(t, resetter, "gone")
	require.NoError(t, resetter.SetLinger(0))
	require.NoError(t, resetter.Close())
	quiet(t, far, 300*time.Millisecond)
	got, err := rest(far)
	require.NoError(t, err)
	require.Equal(t, "into the dark", got)
	require.GreaterOrEqual(t, time.Since(began), time.Second)
	got, err = rest(reset)
	requireReset(t, err)
	require.Equal(t, "gone", got)
	send(t, far, "and back")
	receive(t, near, "and back")
	rec := r.receipts()
	require.Len(t, rec, 2)
	for _, one := range rec {
		require.Zero(t, one.Cut, "nothing was lost")
		require.GreaterOrEqual(t, one.Until-one.From, int64(300*time.Millisecond))
	}
}

func TestDataBlackholeToTheEndOfTheRunDestroys(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{blackhole: data}")})
	near, far := r.pair()
	r.begin()
	send(t, near, "into the dark")
	quiet(t, far, 200*time.Millisecond)
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.EqualValues(t, 13, rec[0].Bytes)
	require.EqualValues(t, 1, rec[0].Cut)
}

func TestAStallHoldsWhatIsBehindItsBytes(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "stall: {after: 4}"), Direction: chaos.Up, Until: 400 * time.Millisecond})
	near, far := r.pair()
	r.begin()
	began := time.Now()
	send(t, near, "passes")
	receive(t, far, "pass")
	receive(t, far, "es")
	require.GreaterOrEqual(t, time.Since(began), 350*time.Millisecond)
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.Zero(t, rec[0].Cut)
}

func TestAStallForATimeLetsGoByItself(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "stall: {after: 4, for: 200ms}"), Direction: chaos.Up})
	near, far := r.pair()
	r.begin()
	began := time.Now()
	send(t, near, "passes")
	receive(t, far, "passes")
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
	require.Zero(t, r.receipts()[0].Cut)
}

func TestSpikesDelaySomeReads(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "spikes: {delay: 100ms, chance: 100%}"), Direction: chaos.Up})
	near, far := r.pair()
	r.begin()
	began := time.Now()
	send(t, near, "late")
	receive(t, far, "late")
	require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
	require.EqualValues(t, 4, r.receipts()[0].Bytes)
}

func TestSlowCloseDelaysTheEndAlone(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "slow-close: {delay: 300ms}")})
	near, far := r.pair()
	r.begin()
	send(t, near, "prompt")
	require.NoError(t, near.CloseWrite())
	began := time.Now()
	receive(t, far, "prompt")
	_, err := rest(far)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 250*time.Millisecond)
	require.Len(t, r.receipts(), 1)
}

func TestATimeoutEndsBothSidesAfterItsTime(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "timeout: {after: 300ms}")})
	near, far := r.pair()
	began := time.Now()
	r.begin()
	send(t, near, "never arrives")
	for _, c := range []net.Conn{near, far} {
		got, err := rest(c)
		require.NoError(t, err)
		require.Empty(t, got)
		require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	}
	rec := r.receipts()
	require.EqualValues(t, 1, rec[0].Cut)
	require.EqualValues(t, len("never arrives"), rec[0].Bytes)
}

func TestADropTellsNobody(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "drop: {after: 4}"), Direction: chaos.Up})
	near, far := r.pair()
	r.begin()
	send(t, near, "passes")
	receive(t, far, "pass")
	require.NoError(t, near.CloseWrite())
	quiet(t, far, 200*time.Millisecond)
	send(t, far, "the other way is open")
	receive(t, near, "the other way is open")
	require.NoError(t, far.Close())
	rec := r.receipts()
	require.EqualValues(t, 1, rec[0].Cut)
	require.EqualValues(t, 2, rec[0].Bytes)
}
