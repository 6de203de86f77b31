package clientconn_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/edge/clientconn"
)

// TestLast: a request with a coding may be followed by no other once a length
// has come that none of the requests before it had; wherever TCP cuts it.
func TestLast(t *testing.T) {
	const (
		coded  = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
		length = "POST / HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\nhello"
		both   = "POST / HTTP/1.1\r\nX: y\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
		alike  = "POST / HTTP/1.1\r\nContent-Lengt: 5\r\nX-Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	)
	type request struct {
		text          string
		length, coded bool
		last          bool
	}
	for name, requests := range map[string][]request{
		"a coding":                   {{coded, false, true, false}, {coded, false, true, false}},
		"a length":                   {{length, true, false, false}, {length, true, false, false}},
		"by turns":                   {{length, true, false, false}, {coded, false, true, false}, {length, true, false, false}, {coded, false, true, false}},
		"both":                       {{both, false, true, true}},
		"both, behind others":        {{length, true, false, false}, {coded, false, true, false}, {both, false, true, true}},
		"whoever follows it, too":    {{both, false, true, true}, {length, true, false, true}},
		"a name that resembles it":   {{alike, false, true, false}},
		"a body that looks like one": {{coded + "\nContent-Length: 5", false, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			for size := range 40 {
				set := clientconn.NewSet(100*time.Millisecond, patience)
				c, client := pair(t, set)
				for _, r := range requests {
					send(t, client, r.text)
					for read := 0; read < len(r.text); {
						n, err := c.Read(make([]byte, min(size+2, len(r.text)-read)))
						require.NoError(t, err)
						read += n
					}
					require.True(t, c.Begin(false, r.length, r.coded))
					require.Equal(t, r.last, c.Last())
				}
			}
		})
	}
}
