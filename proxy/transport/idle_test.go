package transport_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
)

// Idle time counts from check-in; the server's own hint counts when shorter.
func TestIdleExpiry(t *testing.T) {
	for name, c := range map[string]struct {
		resp  string
		lives time.Duration
	}{
		"own":     {ok, time.Minute},
		"hint":    {"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=10\r\nContent-Length: 2\r\n\r\nok", 9 * time.Second},
		"1 s":     {"HTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=1\r\nContent-Length: 2\r\n\r\nok", time.Second / 2},
		"a long":  {"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=600\r\nContent-Length: 2\r\n\r\nok", time.Minute},
		"strange": {"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=soon\r\nContent-Length: 2\r\n\r\nok", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			simulated(t, func(f *far) { f.answers(c.resp) }, func(t *testing.T, p *transport.Pool) {
				for range 5 { // use keeps it alive
					_, a := get(t, p, "/")
					require.Equal(t, uint64(1), a.ConnID)
					time.Sleep(c.lives - time.Millisecond)
				}
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				require.Zero(t, p.Stats().Idle)
			}, func(c *transport.Config) { c.IdleTimeout = time.Minute })
		})
	}
}

func TestMaxIdle(t *testing.T) {
	for _, most := range []int{-1, 2, 0} {
		simulated(t, func(f *far) { f.answers(ok) }, func(t *testing.T, p *transport.Pool) {
			var open []*http.Response
			for range 5 {
				resp, _, err := try(p, request(t, http.MethodGet, "/", nil))
				require.NoError(t, err)
				open = append(open, resp)
			}
			require.Equal(t, 5, p.Stats().Leased)
			for _, resp := range open {
				require.NoError(t, resp.Body.Close(), "all of it is here: the connection can serve again")
			}
			want := map[int]int{-1: 0, 2: 2, 0: 5}[most]
			require.Equal(t, transport.Stats{Idle: want, Dialed: 5}, p.Stats())
			p.Purge()
			require.Zero(t, p.Stats().Idle)
		}, func(c *transport.Config) { c.MaxIdle = most })
	}
}
