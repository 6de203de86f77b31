package policy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"gauntlet/proxy/transport"
)

// replay is a request body that can be sent more than once: it keeps what has
// been read from the client, up to a limit. Each try reads the kept part first
// and then goes on where the client's body stands. One try at a time reads.
type replay struct {
	src         io.ReadCloser
	limit       int
	interrupted atomic.Bool

	// An upload may still be reading when the response is already there.
	mu   sync.Mutex
	kept []byte
	over bool  // more than limit has been read
	err  error // of src; nothing can be read after it
}

// newReplay returns nil for a request without a body.
func newReplay(req *http.Request, limit int) *replay {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	return &replay{src: req.Body, limit: limit}
}

// again tells whether another try would send exactly the client's body.
func (r *replay) again() bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	return errors.Is(r.err, io.EOF) || (r.err == nil && !r.interrupted.Load())
}

// try gives the body for one more try.
func (r *replay) try() io.ReadCloser { return &replayTry{r: r} }

// close closes the client's body.
func (r *replay) close() {
	if r != nil {
		_ = r.src.Close()
	}
}

type replayTry struct {
	r      *replay
	pos    int
	closed atomic.Bool
}

var _ transport.Interrupter = (*replayTry)(nil)

func (t *replayTry) Read(p []byte) (int, error) {
	r := t.r
	if n, had, err := t.replayed(p); had {
		return n, err
	}
	n, err := r.src.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	if !r.over && len(r.kept)+n > r.limit {
		r.over, r.kept = true, nil
	}
	if !r.over {
		r.kept = append(r.kept, p[:n]...)
		t.pos += n
	}
	return n, err
}

// replayed reads what needs no reading from the client, if there is such.
func (t *replayTry) replayed(p []byte) (n int, had bool, err error) {
	r := t.r
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case t.closed.Load():
		return 0, true, http.ErrBodyReadAfterClose
	case t.pos < len(r.kept):
		n = copy(p, r.kept[t.pos:])
		t.pos += n
		return n, true, nil
	case r.err != nil:
		return 0, true, r.err
	}
	return 0, false, nil
}

// Close ends this try only; the client's body stays open for another.
func (t *replayTry) Close() error {
	t.closed.Store(true)
	return nil
}

// Interrupt frees a Read that waits for the client. Nothing more can be read
// from the client afterwards.
func (t *replayTry) Interrupt() {
	t.r.interrupted.Store(true)
	if i, ok := t.r.src.(transport.Interrupter); ok {
		i.Interrupt()
		return
	}
	_ = t.r.src.Close()
}
