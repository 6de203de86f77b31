package wire

import (
	"slices"
	"strings"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/seal"
)

// Seal makes the request say what it is, so that a backend that responds as
// asked notes what a proxy made of it. What the client adds by itself is left
// out: framing may change on the way, and the rest has checks of its own.
func (r *Request) Seal() {
	path := r.Path
	if path == "" {
		path = "/"
	}
	r.Fields = append(slices.Clip(r.Fields), http1.Field{
		Name: seal.Header, Value: seal.Of(&seal.Message{Method: r.method(), Target: path, Fields: r.Fields, Trailers: r.Trailers}),
	})
}

// Unsealed compares the answer to x with the seal on it, and reports whether it
// has one at all. Trailers are compared where their place was reached.
func (c *Conn) Unsealed(x *Exchange, rec book.Client) (differs []seal.Deviation, sealed bool) {
	head, trailer := c.fields(x)
	i := slices.IndexFunc(head, func(f http1.Field) bool { return strings.EqualFold(f.Name, seal.Header) })
	if i < 0 {
		return nil, false
	}
	differs = seal.Compare(head[i].Value, &seal.Message{Status: int(rec.Status), Fields: head, Trailers: trailer})
	if rec.End != book.EndLastChunk {
		differs = slices.DeleteFunc(differs, func(d seal.Deviation) bool { return d.What == "trailer" })
	}
	return differs, true
}
