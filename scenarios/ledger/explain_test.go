package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

func told(moments []ledger.Moment) string {
	var b strings.Builder
	for _, m := range moments {
		fmt.Fprintf(&b, "%+6.1f %s %s\n", float64(m.Time-at(1))/1e6, m.Party, m.What)
	}
	return b.String()
}

func TestExplainTellsWhatEveryBookHolds(t *testing.T) {
	l := bend(func(b *bent) {
		post(b.c, b.a, b.d)
		b.c.Intended -= 20 * ms
		b.c.Flags |= book.Reused | book.EchoForeign
		b.c.Flags &^= book.SentAll
		b.c.Nth, b.c.Foreign, b.c.ReqSent = 4, 2, 900
		unanswered(b.d)
		b.receipt(book.Receipt{Conn: 1, InPort: b.c.LocalPort, From: at(1) + ms/2, Until: at(1) + ms/2, Bytes: 5})
		b.receipt(book.Receipt{Link: 1, Conn: 3, OutPort: b.a.PeerPort, Cut: 1, From: at(1) + 2*ms, Until: at(1) + 2*ms})
		b.receipt(book.Receipt{Link: 2, From: at(1), Until: at(1) + 9*ms})
		b.client(2)
		_, d := b.attempt(2, 2)
		d.Time = at(1) + 5*ms/2
	}).join(t)
	require.Equal(t, strings.TrimLeft(`
 -20.0 client should have sent POST
  +0.0 client sends POST with 1000 body bytes on connection 1 for the 4. time
  +0.0 fault 1 on backend-2 begins to refuse connects or to leave them unanswered
  +0.5 fault 1 on client touches connection 1 of its relay (1 times, 5 bytes)
  +1.0 backend 1 reads the first byte of request 1 on connection 1, POST
  +1.0 backend 1 has the request whole with 1000 body bytes
  +2.0 backend 1 is done: had the request whole with 1000 bytes, gave no answer, ended by cut
  +2.0 fault 1 on backend-1 cuts or destroys connection 3 of its relay (1 times, 0 bytes)
  +2.5 backend 2 has answered exchange 2, whose id the client read
  +3.0 client reads the first byte of a final answer
  +3.0 client ends: 200 with 64 bytes, ended by length after 3ms, having sent 900 of 1000 body bytes
  +9.0 fault 1 on backend-2 lets connects through again
`, "\n"), told(l.Explain(1)))
	require.Nil(t, l.Explain(99))
}
