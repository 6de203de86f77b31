package load

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/script"
	"gauntlet/fixtures/seal"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/wire"
)

// defaultAfter is when clients hang up that nobody gave a time: before, during
// and after a quick answer.
var defaultAfter = script.Pause{Max: units.Duration(50 * time.Millisecond)}

// defaultAnswer is the size asked for when a mix does not say.
const defaultAnswer = script.DefaultBody

// A Hit is one request of a load.
type Hit struct {
	Request wire.Request
	Abandon bool          // the client hangs up
	After   time.Duration // so long after the start
}

// Draw gives the k-th request of the load, from 0. It depends on nothing but
// the load, the seed and the numbers of load and request, so a run with the
// same seed offers the same requests whatever the target does.
func (l *Load) Draw(seed uint64, number uint16, k uint64) Hit {
	abandon := l.Abandon
	if l.Mix != nil && abandon == nil {
		abandon = l.Mix.Abandon
	}
	var h Hit
	if l.Request != nil {
		h.Request = wire.FromSend(l.Request)
	}
	if l.Mix == nil && abandon == nil {
		return h // nothing to draw
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(number))
	binary.LittleEndian.PutUint64(key[16:], k)
	rng := rand.New(rand.NewChaCha8(key))
	if l.Mix != nil {
		h.Request = l.Mix.request(rng)
	}
	if abandon != nil && yes(rng, abandon.Share) {
		after := defaultAfter
		if abandon.After != nil {
			after = *abandon.After
		}
		h.Abandon, h.After = true, between(rng, after)
	}
	return h
}

func (m *Mix) request(rng *rand.Rand) wire.Request {
	r := wire.Request{Method: m.Method.draw(rng), Path: m.Path.draw(rng)}
	if r.Path == "legal" {
		r.Path = legalPaths[rng.IntN(len(legalPaths))]
	}
	if b := m.Body; b != nil {
		size, chunked, pace := b.Size.draw(rng), yes(rng, b.Chunked), b.Pace.draw(rng)
		switch r.Method {
		case "DELETE":
			if !yes(rng, b.Deletes) {
				break
			}
			fallthrough
		case "POST", "PUT", "PATCH":
			r.Size, r.Chunked, r.Pace = int64(size), chunked, pace
			if r.Chunked && yes(rng, b.Trailers) {
				r.Trailers = []http1.Field{{Name: "X-Trailer-1", Value: seal.Text(rng.Uint64(), 20)}}
			}
		}
	}
	m.Fields.draw(rng, &r)
	ask := script.Ask{Size: defaultAnswer}
	if m.Answer != nil {
		ask = m.Answer.ask(rng)
	}
	switch ask.Sealed = true; ask.Status {
	case http.StatusPartialContent:
		r.Fields = append(r.Fields, http1.Field{Name: "Range", Value: fmt.Sprintf("bytes=0-%d", max(0, ask.Size-1))})
	case http.StatusNotModified:
		r.Fields = append(r.Fields, http1.Field{Name: "If-None-Match", Value: `W/"1"`})
	}
	r.Ask(ask)
	return r
}

// draw adds fields to a request.
func (f *MixFields) draw(rng *rand.Rand, r *wire.Request) {
	if f == nil {
		return
	}
	for i := range f.Count.draw(rng) {
		r.Fields = append(r.Fields, http1.Field{Name: fmt.Sprintf("X-Field-%d", i+1), Value: seal.Text(rng.Uint64(), rng.IntN(41))})
	}
	if n := f.Long.draw(rng); n > 0 {
		r.Fields = append(r.Fields, http1.Field{Name: "X-Field-Long", Value: seal.Text(rng.Uint64(), int(n))})
	}
	if n := f.Cookies.draw(rng); n > 0 {
		crumbs := make([]string, n)
		for i := range crumbs {
			crumbs[i] = fmt.Sprintf("c%d=%x", i+1, rng.Uint64())
		}
		r.Fields = append(r.Fields, http1.Field{Name: "Cookie", Value: strings.Join(crumbs, "; ")})
	}
}

func (a *MixAnswer) ask(rng *rand.Rand) script.Ask {
	ask := script.Ask{
		Status: a.Status.draw(rng), Size: defaultAnswer, Chunked: yes(rng, a.Chunked),
		Cookies: a.Cookies.draw(rng), Pace: a.Pace.draw(rng), Fields: a.Fields.draw(rng), Long: a.Long.draw(rng),
	}
	if len(a.Size) > 0 {
		ask.Size = a.Size.draw(rng)
	}
	if yes(rng, a.Trailers) && ask.Chunked {
		ask.Trailers = 1 + rng.IntN(3)
	}
	if yes(rng, a.EarlyHints) {
		ask.Interim = 1
	}
	if a.After != nil {
		ask.After = units.Duration(between(rng, *a.After))
	}
	return ask
}

func yes(rng *rand.Rand, share float64) bool { return rng.Float64() < share }

func between(rng *rand.Rand, p script.Pause) time.Duration {
	if p.Max <= p.Min {
		return p.Min.D()
	}
	return p.Min.D() + time.Duration(rng.Int64N(int64(p.Max-p.Min)+1))
}

// legalPaths are odd and legal (RFC 3986 §3.3, §3.4): what a proxy may not
// refuse, and had better not rewrite. Dot segments are not among them, since a
// proxy may remove those (§6.2.2.3).
var legalPaths = [...]string{
	"/", "/a", "/a/", "/a//b", "//a", "/a%2Fb", "/a%2fb", "/a;v=1/b;w", "/a+b", "/a%20b", "/%E2%82%AC/%C3%A4",
	"/a:b@c", "/!$&'()*,=", "/~a-b_c.d", "/a?b", "/?", "/a?b=c&b=d", "/a?b=1+2", "/a?b=%2B%26%3D", "/a?b?c=/d//e", "/a?q=%E2%82%AC", "/a?x=1;y=2",
}

// LegalPaths gives the paths that `path: legal` draws from.
func LegalPaths() []string { return append([]string(nil), legalPaths[:]...) }
