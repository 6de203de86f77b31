package names_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/chaos/names"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	first  = netip.MustParseAddr("127.0.0.1")
	second = netip.MustParseAddr("127.0.0.2")
	six    = netip.MustParseAddr("::1")
)

func start(t *testing.T, windows ...names.Window) *names.Server {
	s, err := names.Start(t.Context(), names.Config{Listen: "127.0.0.1:0", Names: map[string][]netip.Addr{"backend.test": {first, six}, "other.test": {first}}, Windows: windows, TTL: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// look asks as Go's own resolver does.
func look(t *testing.T, s *names.Server, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Addr())
	}}
	return r.LookupNetIP(ctx, "ip", name)
}

func TestNamesAreAnsweredAsGiven(t *testing.T) {
	s := start(t, names.Window{Fault: names.NXDomain})
	got, err := look(t, s, "backend.test.")
	require.NoError(t, err, "no window opens before Begin")
	require.ElementsMatch(t, []netip.Addr{first, six}, got)
	_, err = look(t, s, "nobody.test.")
	requireDNS(t, err, func(e *net.DNSError) bool { return e.IsNotFound })
	s.Set("backend.test", second)
	got, err = look(t, s, "backend.test.")
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{second}, got)
}

func requireDNS(t *testing.T, err error, is func(*net.DNSError) bool) {
	t.Helper()
	e, ok := errors.AsType[*net.DNSError](err)
	require.True(t, ok && is(e), "%v", err)
}

func TestEveryFaultIsWhatAResolverSees(t *testing.T) {
	for fault, is := range map[names.Fault]func(*net.DNSError) bool{
		names.NXDomain:  func(e *net.DNSError) bool { return e.IsNotFound },
		names.ServFail:  func(e *net.DNSError) bool { return e.IsTemporary && !e.IsNotFound },
		names.Empty:     func(e *net.DNSError) bool { return e.IsNotFound },
		names.Truncated: func(e *net.DNSError) bool { return !e.IsNotFound },
	} {
		t.Run(string(fault), func(t *testing.T) {
			s := start(t, names.Window{Fault: fault, Name: "backend.test"})
			s.Begin(time.Now())
			_, err := look(t, s, "backend.test.")
			requireDNS(t, err, is)
			_, touched := s.Asked()
			require.Positive(t, touched[0])
			require.Equal(t, "backend.test", s.Receipts()[0].Name)
			before := len(s.Receipts())
			_, err = look(t, s, "other.test.")
			require.NoError(t, err, "another name is left alone")
			require.Len(t, s.Receipts(), before)
		})
	}
}

func TestSilenceIsNoAnswer(t *testing.T) {
	s := start(t, names.Window{Fault: names.Silent})
	s.Begin(time.Now())
	c, err := net.Dial("udp", s.Addr())
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	_, err = c.Write([]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07backend\x04test\x00\x00\x01\x00\x01"))
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	_, err = c.Read(make([]byte, 512))
	late, ok := errors.AsType[net.Error](err)
	require.True(t, ok && late.Timeout(), "%v", err)
	require.Len(t, s.Receipts(), 1)
}

func TestSlowAnswersComeLate(t *testing.T) {
	s := start(t, names.Window{Fault: names.Slow, Delay: 200 * time.Millisecond})
	began := time.Now()
	s.Begin(began)
	_, err := look(t, s, "backend.test.")
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
}

func TestStaleAnswersAreThoseFromBefore(t *testing.T) {
	s := start(t, names.Window{Fault: names.Stale, Until: time.Hour})
	s.Set("other.test", second)
	s.Begin(time.Now())
	got, err := look(t, s, "other.test.")
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{first}, got)
	s.Begin(time.Now().Add(-2 * time.Hour)) // the window is over
	got, err = look(t, s, "other.test.")
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{second}, got)
}

func TestServersThatMakeNoSenseAreRefused(t *testing.T) {
	for want, w := range map[string]names.Window{
		`names: windows[0]: found fault "gremlins"; allowed: [nxdomain servfail empty truncated slow silent stale]`: {Fault: "gremlins"},
		`names: windows[0]: found from 2s until 1s; allowed: a beginning before its end`:                            {Fault: names.Empty, From: 2 * time.Second, Until: time.Second},
		`names: windows[0]: found delay 0s for slow; allowed: one above 0 for slow, none for others`:                {Fault: names.Slow},
		`names: windows[0]: found delay 1s for empty; allowed: one above 0 for slow, none for others`:               {Fault: names.Empty, Delay: time.Second},
	} {
		_, err := names.Start(t.Context(), names.Config{Listen: "127.0.0.1:0", Windows: []names.Window{w}})
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, names.ErrConfig)
	}
	_, err := names.Start(t.Context(), names.Config{Listen: "nowhere"})
	require.ErrorIs(t, err, names.ErrConfig)
}

func FuzzQuestions(f *testing.F) {
	f.Add([]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"))
	s, err := names.Start(context.Background(), names.Config{Listen: "127.0.0.1:0", Names: map[string][]netip.Addr{"a": {first}}})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, s.Close()) })
	to, err := net.Dial("udp", s.Addr())
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, to.Close()) })
	f.Fuzz(func(t *testing.T, question []byte) {
		_, _ = to.Write(question) // whatever it is, the server lives
	})
}
