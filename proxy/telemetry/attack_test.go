package telemetry_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// TestLabelsUnderAttack: methods, hosts and paths that never were before make
// no series; each request is counted all the same.
func TestLabelsUnderAttack(t *testing.T) {
	r := newRig(t, func(c *config.Config, p *proxy.Parts) {
		p.Exporter = nil
		c.Telemetry.AccessLog = "off"
		c.Routes = []config.Route{{Host: "known.test", Path: "/known", Upstream: "api"}}
	}, server(t, func(http.ResponseWriter, *http.Request) {}))
	const n, clients = 10_000, 4
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			c, err := net.Dial("tcp", r.p.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			in := bufio.NewReader(c)
			for i := range n / clients {
				host, path := fmt.Sprintf("h%x.test", random.Uint64()), fmt.Sprintf("/p%x", random.Uint64())
				if i%50 == 0 {
					host, path = "known.test", "/known"+path
				}
				_, err := fmt.Fprintf(c, "M%x %s?q=%x HTTP/1.1\r\nHost: %s\r\nUser-Agent: %x\r\n\r\n", random.Uint64(), path, i, host, random.Uint64())
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	r.settle()
	text, series := r.scrape("text/plain"), 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "gauntlet_") && !strings.Contains(line, "_bucket{") {
			series++
		}
	}
	require.Less(t, series, 100)
	require.Contains(t, text, fmt.Sprintf(`gauntlet_http_requests_total{code="404",error="no_route",method="other",route="",upstream=""} %d`, n-n/50))
	require.Contains(t, text, fmt.Sprintf(`gauntlet_http_requests_total{code="200",error="",method="other",route="/known",upstream="api"} %d`, n/50))
}
