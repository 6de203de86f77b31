// Package rawtest is a TCP server for the tests of the proxy's upstream half.
// A test writes each connection's part by hand, byte for byte. Only tests
// import it.
package rawtest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// patience bounds every wait of a connection.
const patience = 10 * time.Second

// TB is what a server needs of a test; *testing.T and *testing.B have it.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// Server accepts connections on 127.0.0.1.
type Server struct {
	Addr string

	ln     net.Listener
	wg     sync.WaitGroup
	mu     sync.Mutex
	closed bool
	conns  []*Conn
}

// Conn is one accepted connection.
type Conn struct {
	*net.TCPConn
	N int // in the order of accepting, from 1
	R *bufio.Reader
}

// Serve runs handle for each connection and closes the connection when it
// returns. The test's end closes everything and waits for all handlers.
func Serve(t TB, handle func(c *Conn)) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	s := &Server{Addr: ln.Addr().String(), ln: ln}
	s.wg.Go(func() { s.accept(handle) })
	t.Cleanup(s.Close)
	return s
}

func (s *Server) accept(handle func(c *Conn)) {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return
		}
		_ = nc.SetDeadline(time.Now().Add(patience))
		s.mu.Lock()
		c := &Conn{TCPConn: nc.(*net.TCPConn), N: len(s.conns) + 1, R: bufio.NewReader(nc)}
		s.conns = append(s.conns, c)
		if s.closed {
			_ = nc.Close()
		}
		s.mu.Unlock()
		s.wg.Go(func() {
			defer func() { _ = c.TCPConn.Close() }()
			handle(c)
		})
	}
}

// Accepted is the number of connections so far.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Close stops the server and waits for it.
func (s *Server) Close() {
	_ = s.ln.Close()
	s.mu.Lock()
	s.closed = true
	for _, c := range s.conns {
		_ = c.TCPConn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Any waits for a byte of a request without reading it; false: there was none.
func (c *Conn) Any() bool {
	_, err := c.R.Peek(1)
	return err == nil
}

// Head reads a request up to its empty line.
func (c *Conn) Head() (*http.Request, error) { return http.ReadRequest(c.R) }

// Request reads a request with its body.
func (c *Conn) Request() (*http.Request, string, error) {
	req, err := c.Head()
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(req.Body)
	return req, string(body), err
}

// Send writes s at once; it reports whether that worked.
func (c *Conn) Send(s string) bool {
	_, err := io.WriteString(c.TCPConn, s)
	return err == nil
}

// FIN ends the connection's sending side.
func (c *Conn) FIN() { _ = c.CloseWrite() }

// RST closes with a reset.
func (c *Conn) RST() {
	_ = c.SetLinger(0)
	_ = c.TCPConn.Close()
}

// Drain reads until the other side closes.
func (c *Conn) Drain() { _, _ = io.Copy(io.Discard, c.R) }
