package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	uploadBlock  = 32 << 10               // read from the body at once
	chunkRoom    = 16                     // for a chunk size line before the block
	tailRoom     = 16                     // for what ends a chunked body after it
	headPatience = time.Millisecond       // how long a head waits to go out together with the body's start
	finalGrace   = 100 * time.Millisecond // for a last write that the upstream has already answered
	readGrace    = 10 * time.Millisecond  // for a read that brings what is there: a body whose read was broken off cannot be sent again
)

// upload sends a request body from a goroutine of its own while the caller
// reads what the upstream answers meanwhile (RFC 9112 §9.5). The caller joins
// it before the attempt ends.
type upload struct {
	t       *trip
	body    io.ReadCloser
	length  int64         // -1: chunked
	started bool          // by the caller's goroutine, the only one to look
	done    chan struct{} // closed when the goroutine ends

	mu   sync.Mutex
	head []byte // not yet written; nil: it is

	reading  atomic.Bool // blocked on the client, perhaps
	stopping atomic.Bool // the caller wants it to end
	last     atomic.Bool // the final bytes are being written
	sentAll  atomic.Bool // all was written

	// Written before done is closed or, for the caller's error path, before
	// the connection is aborted.
	failure atomic.Pointer[uploadError]
}

// uploadError is why an upload ended early.
type uploadError struct {
	client bool // the body could not be read
	err    error
}

// start launches the goroutine.
func (u *upload) start() {
	u.started = true
	go func() {
		defer close(u.done)
		u.run()
		_ = u.body.Close()
	}()
}

// writeHead sends the head unless it has gone out with the body's first block.
func (u *upload) writeHead() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.head == nil {
		return nil // the goroutine has it
	}
	head := u.head
	u.head = nil
	return u.t.c.write(head) // under the lock: the body must not overtake it
}

func (u *upload) run() {
	block := u.t.p.block()
	defer u.t.p.blocks.Put(block)
	sent := int64(0)
	for u.length < 0 || sent < u.length {
		buf := (*block)[chunkRoom : len(*block)-tailRoom]
		if u.length >= 0 {
			buf = buf[:min(int64(len(buf)), u.length-sent)]
		}
		n, err := u.read(buf)
		sent += int64(n)
		if err != nil && !errors.Is(err, io.EOF) {
			u.fail(&uploadError{client: true, err: err})
			return
		}
		ended := err != nil
		if u.length < 0 {
			err = u.writeChunk(*block, n, ended)
		} else {
			u.last.Store(sent == u.length)
			err = u.writeBlock(buf[:n])
		}
		if err != nil {
			u.fail(&uploadError{err: err})
			return
		}
		if ended && u.length >= 0 && sent < u.length {
			u.fail(&uploadError{client: true, err: fmt.Errorf("%d of %d bytes: %w", sent, u.length, io.ErrUnexpectedEOF)})
			return
		}
		if ended {
			break
		}
	}
	u.sentAll.Store(true)
	u.t.wrote()
}

// read reads from the client, unless the caller is joining.
func (u *upload) read(p []byte) (int, error) {
	u.reading.Store(true)
	defer u.reading.Store(false)
	if u.stopping.Load() {
		return 0, errUploadStopped
	}
	for range 100 {
		if n, err := u.body.Read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// writeChunk frames the n bytes that stand in block after chunkRoom, and ends
// the body after them if ended.
func (u *upload) writeChunk(block []byte, n int, ended bool) error {
	from, to := chunkRoom, chunkRoom+n
	if n > 0 {
		var size [chunkRoom]byte
		line := append(strconv.AppendUint(size[:0], uint64(n), 16), "\r\n"...)
		from -= len(line)
		copy(block[from:], line)
		to += copy(block[to:], "\r\n")
	}
	if !ended {
		return u.writeBlock(block[from:to])
	}
	u.last.Store(true)
	out := append(block[from:to:len(block)], "0\r\n"...)
	return u.writeBlock(appendTrailers(out, u.t.req.Trailer))
}

// writeBlock sends p, behind the head if that is still here.
func (u *upload) writeBlock(p []byte) error {
	u.mu.Lock()
	head := u.head
	u.head = nil
	u.mu.Unlock()
	if head != nil {
		p = append(head, p...)
	}
	if len(p) == 0 {
		return nil
	}
	return u.t.c.write(p)
}

var errUploadStopped = errors.New("upload stopped")

// fail ends an upload early. When the body is at fault, or the upstream has
// stopped reading, there is nothing to wait for unless the response has begun.
// When a write failed the upstream may have said why before: the caller keeps
// reading for a while.
func (u *upload) fail(e *uploadError) {
	if u.stopping.Load() {
		return
	}
	u.failure.Store(e)
	if e.client || isTimeout(e.err) {
		u.t.c.abandonWrites()
		return
	}
	u.t.c.armHeaders(lastWords)
}

// join ends the goroutine and waits for it. It reports whether the whole body
// was sent and nothing went wrong.
func (u *upload) join() bool {
	if !u.started {
		_ = u.body.Close()
		return false
	}
	select {
	case <-u.done:
		return u.complete()
	default:
	}
	if u.last.Load() && !u.t.c.wasAborted() && u.endsWithin(finalGrace) {
		return u.complete()
	}
	u.stopping.Store(true)
	u.t.c.abort()
	if u.reading.Load() && (u.t.req.Context().Err() != nil || !u.endsWithin(readGrace)) {
		if i, ok := u.body.(Interrupter); ok {
			i.Interrupt()
		} else {
			_ = u.body.Close()
		}
	}
	<-u.done
	return false
}

// endsWithin tells whether the goroutine ends by itself in that time.
func (u *upload) endsWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-u.done:
		return true
	case <-timer.C:
		return false
	}
}

func (u *upload) complete() bool { return u.sentAll.Load() && u.failure.Load() == nil }

func newUpload(t *trip, body io.ReadCloser, length int64, head []byte) *upload {
	return &upload{t: t, body: body, length: length, head: head, done: make(chan struct{})}
}

// expectsContinue tells whether the client waits for leave to send its body.
func expectsContinue(h http.Header) bool {
	e := h["Expect"]
	return len(e) == 1 && strings.EqualFold(e[0], "100-continue")
}
