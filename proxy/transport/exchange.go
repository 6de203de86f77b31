package transport

import (
	"context"
	"net/http"
	"time"
)

// Exchange is what all attempts of one exchange share. It is used by the
// goroutine that serves the exchange only.
type Exchange struct {
	Started time.Time
	// On1xx is called for each interim response but 101 of any attempt that
	// has no On1xx of its own; an error ends the attempt as the client's doing.
	On1xx func(code int, h http.Header) error

	// Hedges counts the attempts made beside another one.
	Hedges int
	// Chosen is called by Add; nil: by nobody.
	Chosen func(*Attempt)

	first    [2]*Attempt // storage for the usual number of attempts
	attempts []*Attempt
}

type exchangeKey struct{}

// WithExchange gives a context whose attempts are collected in e.
func WithExchange(ctx context.Context, e *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, e)
}

// ExchangeFrom returns the context's exchange, or nil.
func ExchangeFrom(ctx context.Context) *Exchange {
	e, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return e
}

// Add appends an attempt for which an endpoint has been chosen.
func (e *Exchange) Add(a *Attempt) {
	if e.attempts == nil {
		e.attempts = e.first[:0]
	}
	e.attempts = append(e.attempts, a)
	if e.Chosen != nil {
		e.Chosen(a)
	}
}

// Append adds the attempts of an exchange that was a part of this one.
func (e *Exchange) Append(part *Exchange) {
	for _, a := range part.attempts {
		e.Add(a)
	}
}

// Attempts returns the attempts in their order. A request that a breaker
// turned away has none.
func (e *Exchange) Attempts() []*Attempt { return e.attempts }

// Last returns the latest attempt, or nil.
func (e *Exchange) Last() *Attempt {
	if len(e.attempts) == 0 {
		return nil
	}
	return e.attempts[len(e.attempts)-1]
}
