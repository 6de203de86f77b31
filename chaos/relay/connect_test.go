package relay_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gauntlet/chaos/relay"
)

// works passes a byte through a new connection.
func (r *rig) works() {
	near, far := r.pair()
	send(r.t, near, "x")
	receive(r.t, far, "x")
	require.NoError(r.t, near.Close())
	require.NoError(r.t, far.Close())
}

// A connect that comes just as the window opens sends its SYN again after a
// second, and is refused then: the window is open for longer than that.
func TestRefuseIsConnectionRefusedWhileItIsOpen(t *testing.T) {
	const opens, closes = 200 * time.Millisecond, 2200 * time.Millisecond
	r := newRig(t, 1, relay.Window{Fault: spec(t, "refuse"), From: opens, Until: closes})
	near, far := r.pair()
	r.works()
	t0 := time.Now()
	r.relay.Begin(t0)
	refused, worked := 0, 0
	for worked < 3 {
		require.Less(t, time.Since(t0), patience)
		asked := time.Since(t0)
		c, err := dial(r.relay.Addr(), patience)
		answered := time.Since(t0)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			refused++
			require.Greater(t, answered, opens)
			send(t, near, "open connections go on")
			receive(t, far, "open connections go on")
		case err == nil && refused > 0:
			require.Greater(t, answered, closes)
			worked++
			fallthrough
		case err == nil:
			require.NoError(t, c.Close())
			require.NoError(t, (<-r.far).Close())
		default:
			require.NoError(t, err, "asked at %s", asked)
		}
		time.Sleep(5 * time.Millisecond) // a gentle probe
	}
	r.works()
	require.Greater(t, refused, 3)
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.Zero(t, rec[0].Conn)
	require.EqualValues(t, 1, rec[0].Count)
	require.EqualValues(t, 3, rec[0].Link)
	require.GreaterOrEqual(t, rec[0].From, t0.Add(opens).UnixNano())
	require.GreaterOrEqual(t, rec[0].Until, t0.Add(closes).UnixNano())
}

func TestRefuseLosesNoConnectionMadeBefore(t *testing.T) {
	for range 20 {
		r := newRig(t, 1, relay.Window{Fault: spec(t, "refuse")})
		var made []net.Conn
		for range 50 {
			c, err := net.Dial("tcp", r.relay.Addr())
			require.NoError(t, err)
			made = append(made, c)
		}
		r.begin()
		_, err := dial(r.relay.Addr(), patience)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		for _, c := range made {
			send(t, c, "x")
			require.NoError(t, c.Close())
		}
		for range made {
			far := <-r.far
			got, err := rest(far)
			require.NoError(t, err)
			require.Equal(t, "x", got)
			require.NoError(t, far.Close())
		}
		require.Len(t, r.receipts(), 1)
	}
}

func TestConnectBlackholeAnswersNobodyUntilItEnds(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{blackhole: connect}"), Until: 1500 * time.Millisecond})
	near, far := r.pair()
	r.begin()
	began := time.Now()
	_, err := dial(r.relay.Addr(), 300*time.Millisecond)
	var timeout net.Error
	require.True(t, errors.As(err, &timeout) && timeout.Timeout(), "%v", err)
	send(t, near, "open connections go on")
	receive(t, far, "open connections go on")
	r.works() // its SYN is sent again after the window
	require.GreaterOrEqual(t, time.Since(began), 1500*time.Millisecond)
	r.works()
	rec := r.receipts()
	require.Len(t, rec, 1)
	require.Zero(t, rec[0].Conn)
	require.GreaterOrEqual(t, rec[0].Count, uint32(2), "two connects were dropped")
}

func TestConnectBlackholeThatNobodyMetLeavesNoReceipt(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "{blackhole: connect}")})
	r.works()
	r.begin()
	require.Empty(t, r.receipts())
}

func TestThePortStaysOursWhileRefusing(t *testing.T) {
	r := newRig(t, 1, relay.Window{Fault: spec(t, "refuse")})
	r.begin()
	addr, err := net.ResolveTCPAddr("tcp", r.relay.Addr())
	require.NoError(t, err)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Close(fd)) }()
	err = unix.Bind(fd, &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte{127, 0, 0, 1}})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}
