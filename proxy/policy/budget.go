package policy

import (
	"context"
	"log/slog"
	"sync/atomic"
)

const (
	token     = 1000 // one retry
	maxTokens = 10   // saved up at most, and there at the start
)

// budget is a token bucket that bounds configured retries to a share of the
// requests, so that retries cannot multiply the load of an upstream that is
// failing. Each request pays in its share, each retry takes one token.
type budget struct {
	share int64 // thousandths of a token per request
	have  atomic.Int64
}

func newBudget(share float64) *budget {
	b := &budget{share: int64(share * token)}
	if b.share > 0 {
		b.have.Store(maxTokens * token)
	}
	return b
}

// request pays in for one request.
func (b *budget) request() {
	for {
		have := b.have.Load()
		if have >= maxTokens*token || b.share <= 0 {
			return
		}
		if b.have.CompareAndSwap(have, min(have+b.share, maxTokens*token)) {
			return
		}
	}
}

// take reports whether there is a token for one retry.
func (b *budget) take() bool {
	for {
		have := b.have.Load()
		if have < token {
			return false
		}
		if b.have.CompareAndSwap(have, have-token) {
			return true
		}
	}
}

// denied reports that the budget had nothing left for a try that was due.
func (cfg *Retry) denied(ctx context.Context) {
	if cfg.Event != nil {
		cfg.Event(ctx, "retry.denied", slog.String("reason", "budget"))
	}
}
