package rawtest

import (
	"bytes"
	"io"
	"strconv"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// H2 is an HTTP/2 connection whose server's part a test writes frame by frame.
// Reading and writing may be done from two goroutines.
type H2 struct {
	c   io.ReadWriter
	fr  *http2.Framer
	mu  sync.Mutex // writes
	buf bytes.Buffer
	enc *hpack.Encoder
}

// H2 reads the client's preface and announces settings; nil: no such client
// came.
func (c *Conn) H2(settings ...http2.Setting) *H2 {
	return NewH2(struct {
		io.Reader
		io.Writer
	}{c.R, c.TCPConn}, settings...)
}

// NewH2 is Conn.H2 for what lies over a connection, such as TLS.
func NewH2(c io.ReadWriter, settings ...http2.Setting) *H2 {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil || string(preface) != http2.ClientPreface {
		return nil
	}
	h := &H2{c: c, fr: http2.NewFramer(c, c)}
	h.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	h.enc = hpack.NewEncoder(&h.buf)
	if h.Settings(settings...) != nil {
		return nil
	}
	return h
}

// Settings sends a SETTINGS frame.
func (h *H2) Settings(settings ...http2.Setting) error {
	return h.Write(func(f *http2.Framer) error { return f.WriteSettings(settings...) })
}

// Write runs one write on the framer.
func (h *H2) Write(f func(*http2.Framer) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return f(h.fr)
}

// Next gives the next frame that says something about a stream, and answers
// those that are about the connection; nil: the connection has ended. The frame
// is valid until the next call.
func (h *H2) Next() http2.Frame {
	for {
		frame, err := h.fr.ReadFrame()
		if err != nil {
			return nil
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = h.Write((*http2.Framer).WriteSettingsAck)
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = h.Write(func(w *http2.Framer) error { return w.WritePing(true, f.Data) })
			}
		case *http2.WindowUpdateFrame:
		default:
			return frame
		}
	}
}

// Request gives the stream of the next request, reading over everything until
// it has come as a whole; 0: the connection has ended.
func (h *H2) Request() (stream uint32, path string) {
	for {
		switch f := h.Next().(type) {
		case nil:
			return 0, ""
		case *http2.MetaHeadersFrame:
			if p := f.PseudoValue("path"); p != "" {
				stream, path = f.StreamID, p
			}
			if f.StreamEnded() {
				return stream, path
			}
		case *http2.DataFrame:
			_ = h.Write(func(w *http2.Framer) error {
				if n := f.Length; n > 0 {
					_ = w.WriteWindowUpdate(0, n)
					return w.WriteWindowUpdate(f.StreamID, n)
				}
				return nil
			})
			if f.StreamEnded() {
				return f.StreamID, path
			}
		}
	}
}

// Headers sends a header block: names and values in turn.
func (h *H2) Headers(stream uint32, end bool, fields ...string) bool {
	return h.Write(func(w *http2.Framer) error {
		h.buf.Reset()
		for i := 0; i < len(fields); i += 2 {
			_ = h.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		return w.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: h.buf.Bytes(), EndHeaders: true, EndStream: end})
	}) == nil
}

// Data sends a DATA frame.
func (h *H2) Data(stream uint32, end bool, text string) bool {
	return h.Write(func(w *http2.Framer) error { return w.WriteData(stream, end, []byte(text)) }) == nil
}

// Reset sends RST_STREAM.
func (h *H2) Reset(stream uint32, code http2.ErrCode) bool {
	return h.Write(func(w *http2.Framer) error { return w.WriteRSTStream(stream, code) }) == nil
}

// GoAway says that streams above last are not processed.
func (h *H2) GoAway(last uint32, code http2.ErrCode) bool {
	return h.Write(func(w *http2.Framer) error { return w.WriteGoAway(last, code, nil) }) == nil
}

// Answer sends a whole response with a length.
func (h *H2) Answer(stream uint32, body string) bool {
	return h.Headers(stream, body == "", ":status", "200", "content-length", strconv.Itoa(len(body))) &&
		(body == "" || h.Data(stream, true, body))
}
