package relay_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos/relay"
)

// each runs a test on a bare relay and on one whose only window covers no
// connection: neither may be noticed.
func each(t *testing.T, f func(t *testing.T, r *rig)) {
	for name, windows := range map[string][]relay.Window{
		"no window":           nil,
		"none":                {{Fault: spec(t, "none")}},
		"a window long ahead": {{Fault: spec(t, "reset"), From: time.Hour}},
		"a tiny share":        {{Fault: spec(t, "reset"), Share: 1e-9}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, windows...)
			r.begin()
			f(t, r)
			require.Empty(t, r.receipts())
		})
	}
}

func TestBytesPassBothWaysUnchanged(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		near, far := r.pair()
		text := make([]byte, 2<<20)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(text)
		var wg sync.WaitGroup
		for _, c := range [][2]*net.TCPConn{{near, far}, {far, near}} {
			wg.Go(func() {
				if _, err := c[0].Write(text); err != nil {
					t.Error(err)
				}
				if err := c[0].CloseWrite(); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				got, err := io.ReadAll(c[1])
				if err != nil || !bytes.Equal(got, text) {
					t.Error(len(got), err)
				}
			})
		}
		wg.Wait()
	})
}

func TestAFinClosesOneDirectionOnly(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for turn := range 2 {
			near, far := r.pair()
			if turn == 1 {
				near, far = far, near
			}
			send(t, near, "question")
			require.NoError(t, near.CloseWrite())
			got, err := rest(far)
			require.NoError(t, err)
			require.Equal(t, "question", got)
			send(t, far, "answer")
			receive(t, near, "answer")
			require.NoError(t, far.Close())
			got, err = rest(near)
			require.NoError(t, err)
			require.Empty(t, got)
		}
	})
}

func TestARstArrivesAsRstBehindItsBytes(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for turn := range 2 {
			near, far := r.pair()
			if turn == 1 {
				near, far = far, near
			}
			send(t, far, "the last words")
			receive(t, near, "the last")
			require.NoError(t, far.SetLinger(0))
			require.NoError(t, far.Close())
			_, err := rest(near)
			requireReset(t, err)
		}
	})
}

func TestARstForWhatIsWrittenToAClosedPeerComesBack(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for turn := range 2 {
			near, far := r.pair()
			if turn == 1 {
				near, far = far, near
			}
			send(t, far, "done")
			require.NoError(t, far.Close())
			got, err := rest(near)
			require.NoError(t, err)
			require.Equal(t, "done", got, "a polite close is no reset")
			for err == nil { // the peer's kernel answers the first write with RST, and the relay hands it on
				_, err = near.Write([]byte("too late"))
			}
			requirePipeOrReset(t, err)
		}
	})
}

func TestASlowReaderHoldsTheSenderBack(t *testing.T) {
	r := newRig(t, 1)
	near, far := r.pair()
	require.NoError(t, near.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
	n, err := near.Write(make([]byte, 256<<20))
	require.Error(t, err, "nobody reads, so not everything can be on its way")
	require.NoError(t, near.CloseWrite())
	got, err := io.Copy(io.Discard, far)
	require.NoError(t, err)
	require.EqualValues(t, n, got)
}

func TestAFarSideThatRefusesShowsAsReset(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	r, err := relay.Start(t.Context(), relay.Config{Listen: "127.0.0.1:0", To: ln.Addr().String()})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	c, err := dial(r.Addr(), patience)
	if err == nil {
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		_, err = rest(c)
		require.NoError(t, c.Close())
	}
	requireReset(t, err)
}
