package upstream_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/transport"
	"gauntlet/proxy/upstream"
	"gauntlet/proxy/upstream/balance"
	"gauntlet/proxy/upstream/breaker"
	"gauntlet/proxy/upstream/eject"
)

// instant answers without a network.
type instant struct{}

func (instant) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
}
func (instant) Stats() transport.Stats { return transport.Stats{} }
func (instant) Purge()                 {}
func (instant) Close() error           { return nil }

// BenchmarkRoundTrip is the cost of everything above the transport.
func BenchmarkRoundTrip(b *testing.B) {
	for name, edit := range map[string]func(*upstream.Config){
		"plain":    func(*upstream.Config) {},
		"breaker":  func(c *upstream.Config) { c.Breaker = &breaker.Config{} },
		"ejection": func(c *upstream.Config) { c.Ejection = &eject.Config{} },
		"least":    func(c *upstream.Config) { c.Balance.Policy = balance.Least },
	} {
		b.Run(name, func(b *testing.B) {
			cfg := upstream.Config{Name: "api", Endpoints: list("a:1", "b:1", "c:1")}
			edit(&cfg)
			u, err := upstream.New(cfg, upstream.Hooks{Transport: func(transport.Config) transport.RoundTripper { return instant{} }})
			require.NoError(b, err)
			defer u.Close()
			req, err := http.NewRequest(http.MethodGet, "http://x/", nil)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := u.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
