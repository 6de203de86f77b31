package transport_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport/rawtest"
)

// BenchmarkRoundTrip compares an exchange on a pooled connection with that of
// net/http.
func BenchmarkRoundTrip(b *testing.B) {
	s := rawtest.Serve(b, func(c *rawtest.Conn) {
		buf := make([]byte, 4096)
		resp := []byte(ok)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(resp); err != nil {
				return
			}
		}
	})
	std := &http.Transport{}
	defer std.CloseIdleConnections()
	for name, rt := range map[string]http.RoundTripper{"ours": newPool(b, s.Addr), "net/http": std} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req := request(b, http.MethodGet, "/", nil)
				req.URL.Host = s.Addr
				req.Header["User-Agent"] = []string{"bench"}
				resp, err := rt.RoundTrip(req)
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(b, err)
				require.NoError(b, resp.Body.Close())
			}
		})
	}
}
