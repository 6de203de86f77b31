package clientconn_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"gauntlet/proxy/edge/clientconn"
)

// TestNoticeStandsBetweenFrames: however the server's writes cut its frames,
// the notice comes once, after the first frame, between two others and never
// after a GOAWAY of the server's.
func TestNoticeStandsBetweenFrames(t *testing.T) {
	var all bytes.Buffer
	fr := http2.NewFramer(&all, nil)
	require.NoError(t, fr.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 16384}))
	require.NoError(t, fr.WriteData(1, false, bytes.Repeat([]byte("x"), 300)))
	require.NoError(t, fr.WriteSettingsAck())
	require.NoError(t, fr.WriteData(1, true, nil))
	plain := all.Bytes()
	for size := 1; size <= len(plain); size++ {
		for at := 0; at <= len(plain)/size; at++ {
			got := frames(t, plain, size, at)
			require.Len(t, got, 5, "writes of %d bytes, announced before write %d", size, at)
			require.Equal(t, http2.FrameSettings, got[0])
			notices := 0
			for _, kind := range got {
				if kind == http2.FrameGoAway {
					notices++
				}
			}
			require.Equal(t, 1, notices)
		}
	}
	require.NoError(t, fr.WriteGoAway(1, http2.ErrCodeNo, nil))
	require.Len(t, frames(t, all.Bytes(), all.Len(), 1), 5, "the server has sent its own")
}

// frames writes text to an HTTP/2 connection, size bytes at a time, announces
// before the write that is the at-th, and returns what frames arrive.
func frames(t *testing.T, text []byte, size, at int) (kinds []http2.FrameType) {
	set := clientconn.NewSet(0, 0)
	here, there := net.Pipe()
	c := set.Wrap(here)
	c.Multiplex()
	wrote := make(chan error, 1)
	go func() {
		for i := 0; len(text) > 0 || i <= at; i++ {
			if i == at {
				set.Announce()
			}
			n := min(size, len(text))
			if _, err := c.Write(text[:n]); err != nil {
				wrote <- err
				return
			}
			text = text[n:]
		}
		c.Abort(false)
		wrote <- c.Close()
	}()
	for fr := http2.NewFramer(io.Discard, there); ; {
		f, err := fr.ReadFrame()
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			require.NoError(t, <-wrote)
			return kinds
		}
		if g, ok := f.(*http2.GoAwayFrame); ok && g.LastStreamID != 1 {
			require.Equal(t, uint32(1<<31-1), g.LastStreamID)
			require.Equal(t, http2.ErrCodeNo, g.ErrCode)
		}
		kinds = append(kinds, f.Header().Type)
	}
}

// TestMultiplexed: such a connection belongs to no request alone, half-closing
// does not stop it, and its server says when it is busy.
func TestMultiplexed(t *testing.T) {
	set := clientconn.NewSet(0, 0)
	c, client := pair(t, set)
	c.Multiplex()
	ctx := clientconn.NewContext(context.Background(), c)
	require.Nil(t, clientconn.From(ctx))
	require.Same(t, c, clientconn.Shared(ctx))
	require.Nil(t, clientconn.Shared(context.Background()))

	send(t, client, "bytes")
	_, err := io.ReadFull(c, make([]byte, 5))
	require.NoError(t, err)
	require.Zero(t, set.Busy(), "bytes may be housekeeping")
	set.State(c, http.StateActive)
	require.Equal(t, 1, set.Busy())
	set.State(c, http.StateIdle)
	require.Zero(t, set.Busy())

	set.StopIdle()
	send(t, client, "more")
	_, err = io.ReadFull(c, make([]byte, 4))
	require.NoError(t, err)
}
