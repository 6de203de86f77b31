package transport

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// Settle makes the result of any http.RoundTripper obey the rules of this
// package: errors become *Error, and the attempt ends when the body does. What
// comes from a Pool passes unchanged.
func Settle(a *Attempt, resp *http.Response, err error) (*http.Response, error) {
	a.mu.Lock()
	taken := a.taken
	a.mu.Unlock()
	if err != nil {
		e, ok := err.(*Error) //nolint:errorlint // only a bare *Error needs no wrapping
		if !ok {
			e = &Error{Source: SourceUpstream, Phase: PhaseHeaders, Sent: true, Endpoint: a.Endpoint, Timeout: isTimeout(err), Err: err}
		}
		a.Done(e)
		return nil, e
	}
	if taken {
		return resp, nil
	}
	a.Status = resp.StatusCode
	s := &settled{ReadCloser: resp.Body, a: a}
	resp.Body = s
	if rw, ok := s.ReadCloser.(io.Writer); ok && resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body = settledTunnel{settled: s, Writer: rw}
	}
	return resp, nil
}

// settled ends an attempt with the body of a foreign response.
type settled struct {
	io.ReadCloser
	a    *Attempt
	once sync.Once
}

func (s *settled) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.a.addIn(n)
	if err != nil {
		s.once.Do(func() {
			var e *Error
			if !errors.Is(err, io.EOF) {
				e = &Error{Source: SourceUpstream, Phase: PhaseBody, Sent: true, Endpoint: s.a.Endpoint, Timeout: isTimeout(err), Err: err}
			}
			s.a.Done(e)
		})
	}
	return n, err
}

func (s *settled) Close() error {
	err := s.ReadCloser.Close()
	s.once.Do(func() { s.a.Done(nil) })
	return err
}

type settledTunnel struct {
	*settled
	io.Writer
}

// CloseWrite passes a half-close on where the body knows how.
func (t settledTunnel) CloseWrite() error {
	if hc, ok := t.Writer.(halfCloser); ok {
		return hc.CloseWrite()
	}
	return nil
}
