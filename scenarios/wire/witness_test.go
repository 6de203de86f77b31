package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"gauntlet/fixtures/exchange"
	"gauntlet/fixtures/http1"
	"gauntlet/scenarios/wire"
)

func TestAnswersAreTold(t *testing.T) {
	addr := serve(t, requests(func(int, string) string {
		return "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nETag: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: v\r\n\r\n"
	}))
	text := "\n- do: [{send: {path: /}, as: asked}, receive]\n"
	cfg := config(t, addr, text)
	cfg.Witness = true
	res, _ := play(t, cfg)
	require.Equal(t, []wire.Answer{{
		Seq: 1, Fields: []http1.Field{{Name: "ETag", Value: "a"}, {Name: "Transfer-Encoding", Value: "chunked"}}, Body: "ok",
		Trailers: []http1.Field{{Name: "T", Value: "v"}}, Interim: []int{103},
	}}, res.Answers)
	res, _ = play(t, config(t, addr, text))
	require.Empty(t, res.Answers, "to those who did not ask for them")
}

// A head that a script writes by itself goes out as it is.
func TestAHeadOfOurOwnOnH2(t *testing.T) {
	got := make(chan []string, 1)
	addr := h2(t, func(_ int, p *peer) {
		_ = p.WriteSettings()
		p.ReadMetaHeaders = nil // which would refuse it
		f, ok := await[*http2.HeadersFrame](p)
		if !ok {
			return
		}
		var names []string
		p.decode(f.HeaderBlockFragment(), &names)
		got <- names
		_ = p.WriteRSTStream(f.StreamID, http2.ErrCodeProtocol)
		_, _ = await[*http2.GoAwayFrame](p)
	})
	cfg := config(t, addr, `
- protocol: h2
  do:
    - {send: {head: [{name: ":method", value: GET}, {name: X-Upper, value: "a ${id}"}, {name: ":path", value: /late}]}}
    - receive
`)
	_, records := play(t, cfg)
	id := exchange.ID{Run: run, Seq: 1}.String()
	require.Equal(t, []string{":method GET", "X-Upper a " + id, ":path /late"}, <-got)
	require.Len(t, records, 1)
	require.False(t, strings.HasPrefix(records[0].End.String(), "length"))
}
