package relay_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"gauntlet/chaos/relay"
)

// shakeHands connects through the relay to a TLS server and gives what came of it.
func (r *rig) shakeHands(patience time.Duration) error {
	near, far := r.pair()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	r.wg.Go(func() {
		c := tls.Server(far, server.TLS)
		_ = c.Handshake() // what the far side sees is not asked here
		_, _ = io.Copy(io.Discard, far)
		_ = far.Close()
	})
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	require.NoError(r.t, near.SetDeadline(time.Now().Add(patience)))
	err := tls.Client(near, &tls.Config{RootCAs: roots, ServerName: "example.com"}).Handshake()
	require.NoError(r.t, near.Close())
	return err
}

func TestFaultsOnHandshakes(t *testing.T) {
	t.Run("alert", func(t *testing.T) {
		r := newRig(t, 1, relay.Window{Fault: spec(t, "handshake-alert: 80")})
		r.begin()
		err := r.shakeHands(patience)
		require.ErrorContains(t, err, "internal error")
		rec := r.receipts()
		require.Len(t, rec, 1)
		require.EqualValues(t, 1, rec[0].Cut)
	})
	t.Run("cut", func(t *testing.T) {
		r := newRig(t, 1, relay.Window{Fault: spec(t, "handshake-cut")})
		r.begin()
		require.ErrorIs(t, r.shakeHands(patience), io.ErrUnexpectedEOF)
		require.EqualValues(t, 1, r.receipts()[0].Cut)
	})
	t.Run("stall", func(t *testing.T) {
		r := newRig(t, 1, relay.Window{Fault: spec(t, "handshake-stall")})
		r.begin()
		err := r.shakeHands(300 * time.Millisecond)
		var late net.Error
		require.True(t, errors.As(err, &late) && late.Timeout(), "%v", err)
		require.Positive(t, r.receipts()[0].Bytes)
	})
	t.Run("a stall lets go when its window closes", func(t *testing.T) {
		r := newRig(t, 1, relay.Window{Fault: spec(t, "handshake-stall"), Until: 300 * time.Millisecond})
		r.begin()
		require.NoError(t, r.shakeHands(patience))
	})
	t.Run("what is no TLS is left alone", func(t *testing.T) {
		for _, fault := range []string{"handshake-alert", "handshake-cut", "handshake-stall", "goaway"} {
			r := newRig(t, 1, relay.Window{Fault: spec(t, fault)})
			near, far := r.pair()
			r.begin()
			send(t, far, plain)
			receive(t, near, plain)
			require.NoError(t, near.Close())
			require.Empty(t, r.receipts(), fault)
		}
	})
}

func TestAGoAwayStandsBehindAWholeFrame(t *testing.T) {
	for _, after := range []string{"goaway", "goaway: {after: 20}"} {
		r := newRig(t, 1, relay.Window{Fault: spec(t, after)})
		r.begin()
		near, far := r.pair()
		r.wg.Go(func() {
			f := http2.NewFramer(far, far)
			_ = f.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 15})
			_ = f.WritePing(false, [8]byte{1})
			_ = f.WritePing(false, [8]byte{2}) // swallowed
			_, _ = io.Copy(io.Discard, far)
			_ = far.Close()
		})
		f := http2.NewFramer(io.Discard, bufio.NewReader(near))
		var kinds []http2.FrameType
		for {
			frame, err := f.ReadFrame()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			kinds = append(kinds, frame.Header().Type)
			if g, ok := frame.(*http2.GoAwayFrame); ok {
				require.EqualValues(t, 1<<31-1, g.LastStreamID)
				require.Equal(t, http2.ErrCodeNo, g.ErrCode)
			}
		}
		want := []http2.FrameType{http2.FrameSettings, http2.FrameGoAway}
		if after != "goaway" {
			want = []http2.FrameType{http2.FrameSettings, http2.FramePing, http2.FrameGoAway}
		}
		require.Equal(t, want, kinds)
		require.NoError(t, near.Close())
		require.EqualValues(t, 1, r.receipts()[0].Cut)
	}
}
