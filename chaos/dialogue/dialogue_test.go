package dialogue_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gauntlet/chaos"
	"gauntlet/chaos/dialogue"
	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// one lets a fault act on every answer that it can act on.
type one struct {
	fault   chaos.Fault
	altered []book.Altered
}

func (o *one) Watching() bool { return o.fault != nil }

func (o *one) Spoil(a chaos.Answer) (chaos.Change, uint16) {
	if f, ok := o.fault.(chaos.AnswerFault); ok {
		if c, ok := f.Spoil(a, rand.New(rand.NewPCG(1, 1))); ok {
			return c, 1
		}
	}
	return chaos.Change{}, 0
}

func (o *one) Reply(method string) ([]byte, uint16) {
	if f, ok := o.fault.(chaos.ReplyFault); ok {
		return f.Reply(method), 1
	}
	return nil, 0
}

func (o *one) Altered(a *book.Altered) { o.altered = append(o.altered, *a) }

var id = exchange.ID{Run: 9, Seq: 4}

func ask(method string) string {
	return method + " / HTTP/1.1\r\nHost: h\r\nX-Gauntlet-Id: " + id.String() + "\r\n\r\n"
}

// body is the generated body of the exchange, 60 bytes.
func body() string {
	b, _ := io.ReadAll(exchange.NewReader(id, exchange.Response, 60))
	return string(b)
}

func sized() string { return "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + body() }

func chunked(trailer string) string {
	return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n" + body()[:40] + "\r\n14\r\n" + body()[40:] + "\r\n0\r\n" + trailer + "\r\n"
}

// hear passes an exchange in pieces of n bytes and gives what came out; a FIN
// shows as <FIN>, a delay as <200ms>.
func hear(o *one, method, answer string, n int) string {
	d := dialogue.New(o)
	var out strings.Builder
	if reply, window := d.Up([]byte(ask(method))); window != 0 {
		return string(reply) + "<FIN>"
	}
	write := func(parts []dialogue.Part) bool {
		for _, p := range parts {
			if p.Delay > 0 {
				fmt.Fprintf(&out, "<%s>", p.Delay)
			}
			out.Write(p.Data)
			if p.Close {
				out.WriteString("<FIN>")
				return false
			}
		}
		return true
	}
	for len(answer) > 0 {
		m := min(n, len(answer))
		if !write(d.Down([]byte(answer[:m]))) {
			d.End()
			return out.String()
		}
		answer = answer[m:]
	}
	write(d.End())
	return out.String()
}

func TestAnswersAreChangedAsTheFaultSaysAndNoFurther(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	whole := func(end book.End) book.Altered {
		return book.Altered{Status: 200, End: end, Body: 60, Bad: -1}
	}
	for _, c := range []struct {
		fault, method, in, out string
		sent                   book.Altered
	}{
		{"slow-head: {gap: 200ms}", "GET", sized(), "HTTP/1.1 200 OK\r\n<200ms>Content-Length: 60\r\n<400ms>\r\n" + body(), whole(book.EndLength)},
		{"big-head: {size: 3}", "GET", sized(), "HTTP/1.1 200 OK\r\nContent-Length: 60\r\nX-Gauntlet-Padding: ppp\r\n\r\n" + body(), whole(book.EndLength)},
		{"garbage-status", "GET", sized(), "HTTP/1.1 two hundred\r\nContent-Length: 60\r\n\r\n" + body(), book.Altered{End: book.EndMalformed, Bad: -1}},
		{"wrong-length: {by: 5}", "GET", sized(), "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n" + body(), book.Altered{Status: 200, End: book.EndNone, Body: 60, Bad: -1}},
		{"wrong-length: {by: -5}", "GET", sized(), "HTTP/1.1 200 OK\r\nContent-Length: 55\r\n\r\n" + body(), book.Altered{Status: 200, End: book.EndLength, Body: 55, Bad: -1, Surplus: 5}},
		{"wrong-length: {by: -500}", "GET", sized(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + body(), book.Altered{Status: 200, End: book.EndBodiless, Bad: -1, Surplus: 60}},
		{"truncated-chunk", "GET", chunked(""), head + "28\r\n" + body()[:1] + "<FIN>", book.Altered{Status: 200, End: book.EndCut, Body: 1, Bad: -1}},
		{"truncated-chunk: {after: 50}", "GET", chunked(""), head + "28\r\n" + body()[:40] + "\r\n14\r\n" + body()[40:50] + "<FIN>", book.Altered{Status: 200, End: book.EndCut, Body: 50, Bad: -1}},
		{"truncated-chunk: {after: 40}", "GET", chunked(""), head + "28\r\n" + body()[:40] + "<FIN>", book.Altered{Status: 200, End: book.EndCut, Body: 40, Bad: -1}},
		{"bad-chunk", "GET", chunked(""), strings.Replace(chunked(""), "28\r\n", "xyz\r\n", 1), book.Altered{Status: 200, End: book.EndMalformed, Bad: -1}},
		{"missing-trailers", "GET", chunked("A: b\r\nC: d\r\n"), chunked(""), whole(book.EndLastChunk)},
		{"interim-storm: {count: 2}", "GET", sized(), strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n", 2) + sized(), book.Altered{Status: 200, Interim: 2, End: book.EndLength, Body: 60, Bad: -1}},
		{"duplicate-answer", "GET", sized(), sized() + sized(), book.Altered{Status: 200, End: book.EndLength, Body: 60, Bad: -1, Surplus: int64(len(sized()))}},
		{"duplicate-answer", "GET", chunked("A: b\r\n"), chunked("A: b\r\n") + chunked("A: b\r\n"), book.Altered{Status: 200, End: book.EndLastChunk, Body: 60, Bad: -1, Surplus: int64(len(chunked("A: b\r\n")))}},
		{"surplus: {size: 3}", "GET", sized(), sized() + "!!!", book.Altered{Status: 200, End: book.EndLength, Body: 60, Bad: -1, Surplus: 3}},
		{"surplus: {size: 3}", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n!!!", book.Altered{Status: 200, End: book.EndBodiless, Bad: -1, Surplus: 3}},
		{"unannounced-close", "GET", sized(), sized() + "<FIN>", whole(book.EndLength)},
	} {
		t.Run(c.fault+" "+c.method, func(t *testing.T) {
			for n := 1; n <= len(c.in); n++ {
				o := &one{fault: fault(t, c.fault)}
				require.Equal(t, c.out, hear(o, c.method, c.in, n), "in pieces of %d", n)
				require.Len(t, o.altered, 1)
				got := o.altered[0]
				wire := int64(len(c.out))
				for _, mark := range []string{"<FIN>", "<200ms>", "<400ms>"} {
					wire -= int64(strings.Count(c.out, mark) * len(mark))
				}
				require.Equal(t, wire, got.Wire)
				require.NotZero(t, got.Sum)
				got.Wire, got.Sum = 0, 0
				c.sent.Window, c.sent.Run, c.sent.Seq, c.sent.Nth = 1, id.Run, id.Seq, 1
				require.Equal(t, c.sent, got)
			}
		})
	}
}

func TestAnswersThatAFaultCannotActOnPassAsTheyCame(t *testing.T) {
	untilClose := "HTTP/1.0 200 OK\r\n\r\n" + body()
	closes := strings.Replace(sized(), "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
	for _, c := range [][3]string{
		{"truncated-chunk", "GET", sized()},
		{"bad-chunk", "GET", sized()},
		{"missing-trailers", "GET", sized()},
		{"missing-trailers", "GET", chunked("")},
		{"truncated-chunk: {after: 61}", "GET", chunked("A: b\r\n")},
		{"wrong-length: {by: 5}", "GET", chunked("")},
		{"wrong-length: {by: 5}", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"},
		{"surplus: {size: 3}", "GET", untilClose},
		{"duplicate-answer", "GET", untilClose},
		{"unannounced-close", "GET", untilClose},
		{"unannounced-close", "GET", closes},
		{"surplus: {size: 3}", "GET", "no HTTP at all\r\n\r\n"},
		{"surplus: {size: 3}", "GET", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\ntunnel"},
		{"surplus: {size: 3}", "GET", "HTTP/1.1 200 OK\r\nContent-Len"},
	} {
		for n := 1; n <= len(c[2]); n++ {
			o := &one{fault: fault(t, c[0])}
			require.Equal(t, c[2], hear(o, c[1], c[2], n), c[0])
			require.Empty(t, o.altered, c[0])
		}
	}
}

func TestInterimAnswersPassBeforeTheirFinalOne(t *testing.T) {
	o := &one{fault: chaos.Surplus{Size: 1}}
	in := "HTTP/1.1 100 Continue\r\n\r\n" + sized()
	require.Equal(t, in+"!", hear(o, "GET", in, 7))
	require.EqualValues(t, 1, o.altered[0].Interim)
}

func TestAnEarlyAnswerStandsForTheBackends(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		o := &one{fault: chaos.EarlyAnswer{Status: 429}}
		got := hear(o, method, sized(), 100)
		require.True(t, strings.HasPrefix(got, "HTTP/1.1 429 Too Many Requests\r\n"), got)
		require.Len(t, o.altered, 1)
		require.EqualValues(t, 429, o.altered[0].Status)
		require.True(t, o.altered[0].End.Clean())
		require.Zero(t, o.altered[0].Nth)
		require.Equal(t, id.Seq, o.altered[0].Seq)
	}
}

func TestPipelinedAnswersAreToldApart(t *testing.T) {
	o := &one{fault: chaos.Surplus{Size: 1}}
	d := dialogue.New(o)
	d.Up([]byte(ask("HEAD") + ask("GET")))
	var got strings.Builder
	for _, p := range d.Down([]byte("HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + sized() + "nobody asked")) {
		got.Write(p.Data)
	}
	require.Equal(t, "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n!"+sized()+"!nobody asked", got.String())
	require.Len(t, o.altered, 2)
	require.EqualValues(t, 2, o.altered[1].Nth)
}

// Whatever comes, without a fault it passes as it came.
func TestNothingIsChangedWithoutAFault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.SampledFrom([]string{sized(), chunked(""), chunked("A: b\r\n"), sized() + sized()}), rapid.String()).Draw(t, "answer")
		require.Equal(t, text, hear(&one{}, "GET", text, rapid.IntRange(1, 50).Draw(t, "n")))
	})
}

func fault(t require.TestingT, text string) chaos.Fault {
	s, err := chaos.Parse([]byte(text))
	require.NoError(t, err)
	return s.Fault
}

// FuzzDown: nothing that a backend sends is lost or changed where the fault has
// nothing to act on, and nothing makes the dialogue fail.
func FuzzDown(f *testing.F) {
	for _, s := range []string{sized(), chunked("A: b\r\n"), "HTTP/1.1 103 x\r\n\r\n" + sized(), "garbage"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		if n < 1 {
			n = 1
		}
		require.Equal(t, text, hear(&one{}, "GET", text, n))
		for _, k := range chaos.Kinds() {
			o := &one{fault: fault(t, k.Example)}
			if !chaos.OnAnswers(o.fault) {
				continue
			}
			if got := hear(o, "GET", text, n); len(o.altered) == 0 {
				require.Equal(t, text, got, k.Name)
			}
		}
	})
}
