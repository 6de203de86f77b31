package clientconn

import (
	"io"
	"sync"
)

// frames follows the frames an HTTP/2 server writes, so that it can put one of
// ours between two of them: the GOAWAY that tells a client to open no new
// stream and refuses none that is under way (RFC 9113 §6.8). net/http's server
// can send only the other one, which names the last stream it will serve, and
// the client may be opening the next.
type frames struct {
	to io.Writer

	mu    sync.Mutex
	head  [9]byte // of the frame being written (RFC 9113 §4.1)
	got   int     // bytes of head seen
	left  int     // bytes of its payload to come
	first bool    // the first frame is complete: it must be the server's SETTINGS
	gone  bool    // a GOAWAY was written, ours or another, which ours must not follow
	due   bool    // ours waits for the end of a frame
}

// typeGoAway is the type of a GOAWAY frame.
const typeGoAway = 0x7

// notice is a GOAWAY without error whose last stream is the highest there is.
var notice = []byte{0, 0, 8, typeGoAway, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// Write passes p on, with the notice at the end of a frame when it is due.
func (f *frames) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := f.follow(p)
	if !f.due || f.gone || end < 0 {
		return f.to.Write(p)
	}
	f.due, f.gone = false, true
	n, err := f.to.Write(p[:end])
	if err != nil {
		return n, err
	}
	if _, err := f.to.Write(notice); err != nil || end == len(p) {
		return n, err
	}
	m, err := f.to.Write(p[end:])
	return n + m, err
}

// follow reads p's frames and returns where the last of those that end in it
// ends, or -1.
func (f *frames) follow(p []byte) int {
	end := -1
	for at := 0; at < len(p); {
		if f.got < len(f.head) {
			n := copy(f.head[f.got:], p[at:])
			f.got += n
			at += n
			if f.got < len(f.head) {
				break
			}
			f.left = int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
			f.gone = f.gone || f.head[3] == typeGoAway
		}
		n := min(f.left, len(p)-at)
		f.left -= n
		if at += n; f.left == 0 {
			f.got, f.first, end = 0, true, at
		}
	}
	return end
}

// announce sends the notice, now or at the end of the frame being written. It
// waits for a write under way.
func (f *frames) announce() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone || f.due {
		return
	}
	if !f.first || f.got > 0 {
		f.due = true
		return
	}
	f.gone = true
	_, _ = f.to.Write(notice) // a client that is gone needs none
}
