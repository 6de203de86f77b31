package expect

import (
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/ledger"
)

func (r *reading) exchange(name string) ref.Val {
	seq, err := r.seq(name)
	if err != nil {
		return types.WrapErr(err)
	}
	e, ok := r.Ledger.Exchange(seq)
	if !ok || e.Client == nil {
		return types.WrapErr(untold("the exchange %q left no record of its client", name))
	}
	c := e.Client
	return &object{kind: r.kinds["Exchange"], get: func(field string) ref.Val {
		switch field {
		case "outcome":
			if err := r.seen(e.Outcome.String()); err != nil {
				return types.WrapErr(err)
			}
			return types.String(e.Outcome.String())
		case "status":
			return types.Int(c.Status)
		case "took":
			return types.Duration{Duration: time.Duration(c.Ended - c.Started)}
		case "attempts":
			if err := r.have(Traces); err != nil {
				return types.WrapErr(err)
			}
			return types.Int(len(r.Attempts[seq]))
		case "sightings":
			return r.sightings(0, name)
		case "avoidable":
			return types.Bool(e.Avoidable)
		case "client":
			return r.clientSide(&e)
		}
		return noField(field)
	}}
}

func noField(name string) ref.Val { return types.NewErr("no field %s", name) }

func (r *reading) clientSide(e *ledger.Exchange) *object {
	c := e.Client
	return &object{kind: r.kinds["ClientSide"], get: func(field string) ref.Val {
		switch field {
		case "ended":
			return types.String(ended(c.End))
		case "made_by":
			return types.String(madeBy(c))
		case "is_prefix_of_backend":
			if err := r.have(Backend); err != nil {
				return types.WrapErr(err)
			}
			is, err := prefix(e)
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Bool(is)
		case "bytes":
			return types.Int(c.RespBytes)
		case "interim":
			return types.Int(c.Interim)
		case "first_byte":
			if c.FirstByte == 0 {
				return types.WrapErr(untold("no byte of a final answer came"))
			}
			return types.Duration{Duration: time.Duration(c.FirstByte - c.Started)}
		case "connection":
			return types.Int(c.Conn)
		case "reused":
			return types.Bool(c.Flags&book.Reused != 0)
		case "close_announced":
			return types.Bool(c.Flags&book.CloseAnnounced != 0)
		case "sent_all":
			return types.Bool(c.Flags&book.SentAll != 0)
		case "surplus":
			return types.Bool(c.Flags&book.Surplus != 0)
		case "error_code":
			return types.String(c.Reason())
		}
		return noField(field)
	}}
}

// madeBy tells whose answer a client got: a backend echoes the id.
func madeBy(c *book.Client) string {
	switch {
	case c.Flags&(book.Echoed|book.EchoForeign) != 0:
		return "backend"
	case c.Status != 0:
		return "proxy"
	}
	return "nobody"
}

// prefix reports whether what came of the backend's body is its beginning,
// unchanged. Nothing came of it when the proxy answered in its place.
func prefix(e *ledger.Exchange) (bool, error) {
	c := e.Client
	if madeBy(c) != "backend" || c.RespBytes == 0 {
		return true, nil
	}
	if c.Flags&book.EchoForeign != 0 {
		return false, nil
	}
	told := false
	for _, a := range e.Attempts {
		d := a.Departure
		if d == nil || d.Flags&book.AnswerBegun == 0 {
			continue
		}
		told = true
		switch same := c.RespBytes == d.RespBytes; {
		case c.RespBytes > d.RespBytes:
		case same && c.RespSum == d.RespSum, !same && c.RespBad < 0 && d.RespBad < 0:
			return true, nil
		case !same && c.RespBad < 0 && c.RespBytes <= d.RespBad:
			return true, nil
		case !same && c.RespBad == d.RespBad:
			return false, untold("the backend wrote a body of its own, of which only the whole can be compared")
		}
	}
	if !told {
		return false, untold("no backend book knows the answer")
	}
	return false, nil
}

func (r *reading) attempts(name string) ref.Val {
	seq, err := r.seq(name)
	if err == nil {
		err = r.have(Traces)
	}
	if err != nil {
		return types.WrapErr(err)
	}
	var list []ref.Val
	for _, a := range r.Attempts[seq] {
		list = append(list, r.kinds["Attempt"].fixed(map[string]ref.Val{
			"error_type": types.String(a.ErrorType), "phase": types.String(a.Phase), "reason": types.String(a.Reason),
			"endpoint": types.String(a.Endpoint), "resend": types.Int(a.Resend),
		}))
	}
	return types.NewRefValList(types.DefaultTypeAdapter, list)
}
