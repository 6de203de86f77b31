package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// Faults on the handshake of TLS, seen from the side that connected: they act on
// the server's first record, when it comes while the window is open, and need
// no key (RFC 8446 §5.1). Connections that are past it, or speak no TLS, are left
// alone.

// HandshakeStall lets the first record of a handshake's answer pass and then
// nothing until the window closes.
type HandshakeStall struct{}

// Begin implements Fault.
func (HandshakeStall) Begin(*rand.Rand) Stream {
	return &handshake{then: func(left int) Step { return Step{Take: left, Delay: Forever} }, whole: true}
}

// Leans implements Leaning.
func (HandshakeStall) Leans() Direction { return Down }

func (HandshakeStall) String() string { return "handshake-stall" }

func (HandshakeStall) spelling() any { return "handshake-stall" }

// HandshakeCut ends the connection with FIN towards both peers inside of the first
// record of a handshake's answer.
type HandshakeCut struct{}

// Begin implements Fault.
func (HandshakeCut) Begin(*rand.Rand) Stream {
	return &handshake{then: func(int) Step { return Step{End: EndCut} }}
}

// Leans implements Leaning.
func (HandshakeCut) Leans() Direction { return Down }

func (HandshakeCut) String() string { return "handshake-cut" }

func (HandshakeCut) spelling() any { return "handshake-cut" }

// HandshakeAlert answers a handshake with a fatal alert in the server's place and
// ends the connection: handshake_failure, 40, unless Description says so
// (RFC 8446 §6.2).
type HandshakeAlert struct {
	Description int `json:"description,omitempty"`
}

// Begin implements Fault.
func (f HandshakeAlert) Begin(*rand.Rand) Stream {
	alert := []byte{recordAlert, 3, 3, 0, 2, 2, byte(f.description())}
	return &handshake{then: func(int) Step { return Step{End: EndCut, Last: alert} }, none: true}
}

// Leans implements Leaning.
func (HandshakeAlert) Leans() Direction { return Down }

func (f HandshakeAlert) description() int {
	if f.Description == 0 {
		return 40
	}
	return f.Description
}

func (f HandshakeAlert) String() string { return fmt.Sprintf("handshake-alert(%d)", f.description()) }

func (f HandshakeAlert) check() error {
	if d := f.description(); d < 1 || d > 255 {
		return errors.New("description is out of range; allowed: 1 to 255, as RFC 8446 §6 numbers alerts")
	}
	return nil
}

func (f HandshakeAlert) spelling() any {
	if f.Description == 0 {
		return "handshake-alert"
	}
	return map[string]any{"handshake-alert": f}
}

const (
	recordAlert     = 21
	recordHandshake = 22
	recordHeader    = 5
)

// handshake finds the first record and says what happens behind as much of it as
// its fault lets pass: nothing, its header and a byte, or the whole record.
type handshake struct {
	then        func(left int) Step
	none, whole bool
	head        []byte
	left        int64 // to pass before the fault acts
	acts, past  bool
}

func (s *handshake) Next(p []byte) Step {
	switch {
	case s.past || len(p) == 0 && !s.acts:
		return Step{Take: len(p)}
	case len(s.head) == 0 && p[0] != recordHandshake:
		s.past = true
		return Step{Take: len(p)}
	case s.none:
		return s.then(len(p))
	case s.acts:
		if s.left == 0 {
			return s.then(len(p))
		}
		n := min(int64(len(p)), s.left)
		s.left -= n
		return Step{Take: int(n)}
	}
	n := min(len(p), recordHeader-len(s.head))
	if s.head = append(s.head, p[:n]...); len(s.head) == recordHeader {
		s.acts, s.left = true, 1
		if s.whole {
			s.left = int64(s.head[3])<<8 | int64(s.head[4])
		}
	}
	return Step{Take: n}
}
