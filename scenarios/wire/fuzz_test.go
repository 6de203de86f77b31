package wire_test

import (
	"bytes"
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/wire"
)

// frames gives what a peer may say in answer to two streams.
func frames(say func(f *http2.Framer, head func(id uint32, end bool, fields ...string))) []byte {
	var out, block bytes.Buffer
	f := http2.NewFramer(&out, nil)
	f.AllowIllegalWrites = true
	enc := hpack.NewEncoder(&block)
	say(f, func(id uint32, end bool, fields ...string) {
		block.Reset()
		for i := 0; i < len(fields); i += 2 {
			_ = enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
	})
	return out.Bytes()
}

// Whatever a target sends, in whatever pieces: every exchange ends once, with a
// record that agrees with itself, and nothing hangs or is left behind.
func FuzzFrames(f *testing.F) {
	add := func(split uint16, say func(f *http2.Framer, head func(id uint32, end bool, fields ...string))) {
		f.Add(frames(say), split)
	}
	add(9, func(f *http2.Framer, head func(uint32, bool, ...string)) {
		_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 7}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
		head(3, false, ":status", "103", "a", "b")
		head(3, false, ":status", "200", "content-length", "3")
		_ = f.WriteData(3, true, []byte("abc"))
		_ = f.WriteWindowUpdate(1, 100)
		head(1, false, ":status", "200")
		_ = f.WriteData(1, false, []byte("abc"))
		head(1, true, "t", "v")
	})
	add(40, func(f *http2.Framer, head func(uint32, bool, ...string)) {
		_ = f.WriteSettings()
		_ = f.WriteGoAway(1, http2.ErrCodeNo, nil)
		head(1, false, ":status", "413")
		_ = f.WriteRSTStream(1, http2.ErrCodeNo)
	})
	add(1, func(f *http2.Framer, head func(uint32, bool, ...string)) {
		_ = f.WriteRSTStream(3, http2.ErrCodeRefusedStream)
		_ = f.WriteDataPadded(1, true, []byte("x"), []byte{0})
		_ = f.WritePing(false, [8]byte{})
		_ = f.WriteRawFrame(0x77, 0xff, 1, []byte("?"))
	})
	f.Fuzz(func(t *testing.T, said []byte, split uint16) {
		ours, theirs := net.Pipe()
		read := make(chan struct{})
		go func() { // what the client says is of no interest
			defer close(read)
			b := make([]byte, 4096)
			for {
				if _, err := theirs.Read(b); err != nil {
					return
				}
			}
		}()
		var got records
		ids := wire.NewIDs(run)
		m := wire.NewMux(ours, wire.Target{Address: "a.test"}, 1, got.add)
		ctx, cancel := context.WithTimeoutCause(t.Context(), patience, wire.ErrDeadline)
		defer cancel()
		var all []*wire.Exchange
		for _, size := range []int64{100, 0} {
			x := wire.NewExchange(ids.Next(), wire.Request{Method: "POST", Size: size}, 0, time.Now())
			require.True(t, m.Send(ctx, x))
			all = append(all, x)
		}
		at := min(int(split), len(said))
		for _, part := range [][]byte{said[:at], said[at:]} {
			if _, err := theirs.Write(part); err != nil {
				break // the client had enough
			}
		}
		require.NoError(t, theirs.Close())
		for _, x := range all {
			m.Await(ctx, x)
		}
		m.Close()
		<-read
		require.NoError(t, ctx.Err(), "nothing waits for what cannot come")
		require.Len(t, got.list, len(all))
		slices.SortFunc(got.list, func(a, b book.Client) int { return int(a.Seq) - int(b.Seq) })
		for i, r := range got.list {
			require.EqualValues(t, i+1, r.Seq)
			require.NotEqual(t, book.EndNone, r.End)
			require.GreaterOrEqual(t, r.Ended, r.Started)
			require.False(t, r.End.Clean() && r.Status == 0, "an answer that is whole has a status")
			require.LessOrEqual(t, r.ReqSent, r.ReqBytes)
		}
	})
}
