package proxy_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"gauntlet/proxy"
	"gauntlet/proxy/config"
)

// h2c lets clients speak HTTP/2 without TLS.
func h2c(c *config.Config, _ *proxy.Parts) { c.HTTP2.H2C = true }

// streams is a raw HTTP/2 client. It answers SETTINGS and nothing else.
type streams struct {
	*wire
	fr *http2.Framer
}

// frames opens an HTTP/2 connection, over TLS when cfg is not nil.
func (r *running) frames(cfg *tls.Config) *streams {
	w := r.dial()
	if cfg != nil {
		w, _ = r.secure(cfg)
	}
	s := &streams{wire: w, fr: http2.NewFramer(w.out, w.br)}
	s.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_, err := io.WriteString(w.out, http2.ClientPreface)
	require.NoError(r.t, err)
	require.NoError(r.t, s.fr.WriteSettings())
	return s
}

// open sends a request head; fields are name, value, name, value.
func (s *streams) open(id uint32, end bool, fields ...string) {
	require.NoError(s.t, s.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(fields...), EndHeaders: true, EndStream: end}))
}

// get opens a stream that asks for path.
func (s *streams) get(id uint32, path string) {
	s.open(id, true, ":method", "GET", ":scheme", "http", ":authority", "x", ":path", path)
}

func block(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

// next reads the next frame that is not the connection's housekeeping.
func (s *streams) next() (http2.Frame, error) {
	for {
		f, err := s.fr.ReadFrame()
		if err != nil {
			return nil, err
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = s.fr.WriteSettingsAck()
			}
		case *http2.WindowUpdateFrame, *http2.PingFrame:
		default:
			return f, nil
		}
	}
}

// want reads the next frame, which must be an F.
func want[F http2.Frame](s *streams) F {
	s.t.Helper()
	f, err := s.next()
	require.NoError(s.t, err)
	got, ok := f.(F)
	require.True(s.t, ok, "%v", f)
	return got
}

// answer reads the status and body of a stream, the only one that speaks.
func (s *streams) answer(id uint32) (status, body string) {
	s.t.Helper()
	for {
		f, err := s.next()
		require.NoError(s.t, err)
		require.Equal(s.t, id, f.Header().StreamID, "%v", f)
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			status += f.PseudoValue("status")
			if f.StreamEnded() {
				return status, body
			}
		case *http2.DataFrame:
			body += string(f.Data())
			if f.StreamEnded() {
				return status, body
			}
		default:
			s.t.Fatalf("%v", f)
		}
	}
}

// end reads on to the connection's end, and returns the last GOAWAY's code.
func (s *streams) end() (code http2.ErrCode) {
	s.t.Helper()
	for {
		f, err := s.next()
		if err != nil {
			timeout, ok := errors.AsType[net.Error](err)
			require.False(s.t, ok && timeout.Timeout(), "%v", err)
			return code
		}
		if f, ok := f.(*http2.GoAwayFrame); ok {
			code = f.ErrCode
		}
	}
}
