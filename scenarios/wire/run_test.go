package wire_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-yaml/parser"
	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/strict"
	"gauntlet/scenarios/wire"
)

// clients reads clients as a scenario file gives them.
func clients(t testing.TB, text string) (list []wire.Client) {
	f, err := parser.ParseBytes([]byte(text), 0)
	require.NoError(t, err)
	require.NoError(t, strict.Node(f.Docs[0], &list))
	require.NoError(t, wire.Validate(list, "clients"))
	return list
}

func config(t testing.TB, addr, text string) wire.Config {
	return wire.Config{Target: wire.Target{Address: addr}, Clients: clients(t, text), Hub: script.NewHub(), Group: 5, Deadline: patience}
}

func TestAScriptNamesItsExchangesAndReusesItsConnection(t *testing.T) {
	addr := serve(t, requests(func(n int, _ string) string { return generated(uint64(n), 7) }))
	res, book := play(t, config(t, addr, `
- name: one
  do:
    - {send: {path: /a}, as: first}
    - {receive: {status: 200}}
    - {send: {method: POST, path: /b, body: 10}, as: second}
    - {receive: {status: 404}}
`))
	require.Equal(t, map[string]uint64{"first": 1, "second": 2}, res.Names)
	require.Equal(t, []wire.Mismatch{{Client: "one", Exchange: 2, Step: "receive", Want: "status 404", Got: "status 200"}}, res.Mismatches)
	require.EqualValues(t, 1, book[0].Conn)
	require.EqualValues(t, 1, book[1].Conn)
	require.EqualValues(t, 2, book[1].Nth)
	require.EqualValues(t, 5, book[1].Group)
}

func TestPipelinedAnswersGoToTheirRequests(t *testing.T) {
	addr := serve(t, func(_ int, c *net.TCPConn) {
		r := bufio.NewReader(c)
		_, _ = head(r)
		_, _ = head(r)
		_, _ = io.WriteString(c, generated(1, 7)+generated(2, 8))
		_, _ = io.Copy(io.Discard, c)
	})
	_, got := play(t, config(t, addr, "- {do: [{send: {}}, {send: {}}, receive, receive]}"))
	require.Len(t, got, 2)
	for i, r := range got {
		require.Equal(t, book.EndLength, r.End)
		require.NotZero(t, r.Flags&book.Echoed)
		require.EqualValues(t, 7+i, r.RespBytes)
	}
}

func TestBarriersOrderClients(t *testing.T) {
	var open, most atomic.Int64
	addr := serve(t, func(_ int, c *net.TCPConn) {
		most.Store(max(most.Load(), open.Add(1)))
		defer open.Add(-1)
		requests(func(int, string) string { return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" })(0, c)
	})
	_, got := play(t, config(t, addr, `
- {name: warmers, times: 4, do: [{send: {}}, receive, {reach: warm}, {await: {warm: 4}}]}
- {name: others, times: 2, loop: {times: 3}, do: [{send: {}}, receive]}
- {after: [warmers, others], do: [{send: {}}, receive]}
`))
	require.Len(t, got, 4+2*3+1)
	require.GreaterOrEqual(t, most.Load(), int64(4), "all were open at once")
	last := got[len(got)-1]
	require.EqualValues(t, 7, last.Group)
	for _, r := range got[:len(got)-1] {
		require.LessOrEqual(t, r.Ended, last.Started)
	}
}

func TestALoopEndsWhenThePeerCloses(t *testing.T) {
	for name, answer := range map[string]func(n int, _ string) string{
		"announced": func(n int, _ string) string {
			if n == 5 {
				return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
			}
			return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
		},
		"cut": func(n int, _ string) string {
			if n == 5 {
				return ""
			}
			return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
		},
	} {
		_, got := play(t, config(t, serve(t, requests(answer)), "- {loop: {until: closed}, do: [{send: {}}, receive]}"))
		require.Len(t, got, 5, name)
	}
}

func TestASendOnAClosedConnectionDialsAnew(t *testing.T) {
	addr := serve(t, func(_ int, c *net.TCPConn) {
		_, _ = head(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	})
	_, got := play(t, config(t, addr, "- {do: [{send: {}}, receive, {send: {}}, receive]}"))
	require.EqualValues(t, 1, got[0].Conn)
	require.EqualValues(t, 2, got[1].Conn)
	require.EqualValues(t, 1, got[1].Nth)
}

func TestRefusedScripts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	res, got := play(t, config(t, l.Addr().String(), `
- {do: [{send: {}}, {receive: 200}, {write: "GET / HT"}, {write: "TP/1.1\r\n\r\n"}, receive]}
- {loop: {until: closed}, do: [{send: {}}, receive]}
`))
	require.Len(t, got, 3, "two writes of one request are one exchange")
	for _, r := range got {
		require.Equal(t, book.EndRefused, r.End)
	}
	require.Len(t, res.Mismatches, 1)
	require.Equal(t, "no answer: refused", res.Mismatches[0].Got)
}

func TestOwnPausesAreNotTheTargetsTime(t *testing.T) {
	addr := serve(t, requests(func(int, string) string { return generated(1, 1) }))
	cfg := config(t, addr, "- {deadline: 1500ms, do: [{send: {}}, stop-reading, {pause: 1600ms}, {receive: 200}]}")
	_, got := play(t, cfg)
	require.Equal(t, book.EndLength, got[0].End)
}

func TestABrokenOffRunAccusesNobody(t *testing.T) {
	addr := serve(t, func(_ int, c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	path := filepath.Join(t.TempDir(), "client.book")
	w, err := book.Create(path, book.Header{Kind: book.ClientBook, Run: run})
	require.NoError(t, err)
	cfg := config(t, addr, "- {times: 3, do: [{send: {}}, receive]}\n- {do: [{await: never}]}\n- {do: [{send: {method: POST, body: 64MiB}}, receive]}")
	cfg.Book, cfg.IDs = w, wire.NewIDs(run)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = wire.Run(ctx, cfg)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, w.Seal())
	b, err := book.Read(path)
	require.NoError(t, err)
	require.Len(t, b.Clients, int(cfg.IDs.Sent()))
	for _, r := range b.Clients {
		require.Equal(t, book.EndAbandoned, r.End)
	}
}

func TestNoDescriptorIsLeft(t *testing.T) {
	addr := serve(t, func(n int, c *net.TCPConn) {
		_, _ = head(bufio.NewReader(c))
		if n%2 == 0 {
			rst(c)
		}
	})
	before := descriptors(t)
	play(t, config(t, addr, "- {times: 20, loop: {times: 5}, do: [{send: {method: POST, body: 100KiB}}, receive, {send: {}}]}"))
	require.Eventually(t, func() bool { return descriptors(t) <= before+2 }, patience, time.Millisecond)
}

func TestValidate(t *testing.T) {
	f, err := parser.ParseBytes([]byte(`
- {name: a, after: b, do: [receive]}
- {name: b, after: [c], do: [receive]}
- {name: c, after: [a, nobody], do: [receive]}
- {name: a, times: -1, protocol: spdy, do: []}
- {loop: {until: noon}, do: [{send: {}, as: x}]}
- {times: 2, do: [{send: {}, as: y}, respond]}
- {loop: {}, do: [{send: {}, as: z}, receive, {send: {}}]}
- {do: [{steps: [{send: {}, as: w}]}, {send: {}, as: w}]}
`), 0)
	require.NoError(t, err)
	var list []wire.Client
	require.NoError(t, strict.Node(f.Docs[0], &list))
	err = wire.Validate(list, "clients")
	require.Error(t, err)
	for _, want := range []string{
		`clients[3].name: "a" is the name of clients[0] too; allowed: one of its own`,
		`clients[3].times: -1 clients; allowed: 1 and more`,
		`clients[3].protocol: "spdy"; allowed: http1, http/1.1, http/1.0, h2`,
		`clients[3].do: found no step; allowed: at least one`,
		`clients[4].loop.until: "noon"; allowed: closed, renewed`,
		`clients[4].do: a loop without receive never learns that the connection closed`,
		`clients[6].loop.times: 0; allowed: 1 and more, or until`,
		`clients[2].after: no client is named "nobody"; allowed: a, b, c, a`,
		`7:38: clients[5].do[1]: step "respond" in a client's script`,
		`clients[4].do: as: "x" in a loop names several exchanges`,
		`clients[5].do: as: "y" in a client with times: 2 names several exchanges`,
		`clients[7].do: as: "w" names another exchange already; allowed: a name of its own`,
	} {
		require.ErrorContains(t, err, want)
	}
	list[3].Name = ""
	require.ErrorContains(t, wire.Validate(list, "clients"), `clients[0].after: waits for itself by way of "b"; allowed: an order without a circle`)
}
