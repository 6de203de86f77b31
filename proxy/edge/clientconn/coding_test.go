package clientconn_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/edge/clientconn"
)

// TestFaulty: the first request of a connection is faulty when it is of HTTP/1.0
// and its head, wherever TCP cuts it, names a coding that net/http does not know
// of. What stands in a body or in a later head tells nothing.
func TestFaulty(t *testing.T) {
	const (
		old   = "POST / HTTP/1.0\r\nX: y\r\nTRANSFER-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
		plain = "POST / HTTP/1.0\r\nContent-Length: 30\r\n\r\n\nTransfer-Encoding: chunked\r\n\r\n"
		alike = "POST / HTTP/1.0\r\nTransfer-Encodings: chunked\r\nX-Transfer-Encoding: chunked\r\nX: a\r\n\r\n"
		blank = "\r\n\n"
	)
	for name, c := range map[string]struct {
		text       string
		old, coded bool
		faulty     bool
	}{
		"of 1.0":                {old, true, false, true},
		"behind empty lines":    {blank + old, true, false, true},
		"with LF alone":         {"POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n", true, false, true},
		"of 1.1":                {old, false, false, false},
		"known to net/http":     {old, true, true, false},
		"in the body":           {plain, true, false, false},
		"names resembling it":   {alike, true, false, false},
		"a head without an end": {"POST / HTTP/1.0\r\nX: Transfer-Encoding: chunked\r\n", true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for size := range 40 {
				set := clientconn.NewSet(100*time.Millisecond, patience)
				conn, client := pair(t, set)
				send(t, client, c.text)
				for read := 0; read < len(c.text); {
					n, err := conn.Read(make([]byte, min(size+2, len(c.text)-read)))
					require.NoError(t, err)
					read += n
				}
				require.True(t, conn.Begin(c.old, false, c.coded))
				require.Equal(t, c.faulty, conn.Faulty())
				require.Equal(t, c.faulty, conn.Last())
				require.True(t, conn.Begin(true, false, false))
				require.False(t, conn.Faulty(), "it was the first one's head")
			}
		})
	}
}
