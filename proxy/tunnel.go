package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gauntlet/proxy/transport"
)

// tunnel turns the client's connection over to another protocol (RFC 9110
// §7.8) and passes bytes until both sides have ended.
func (x *forwarding) tunnel(resp *http.Response) {
	backend, ok := resp.Body.(io.ReadWriteCloser)
	if !ok || !offered(upgradeOf(x.r.Header), upgradeOf(resp.Header)) {
		_ = resp.Body.Close()
		x.fail(transport.ErrMalformed)
		return
	}
	defer func() { _ = backend.Close() }()
	conn, buffered, err := x.rc.Hijack()
	if err != nil {
		x.fail(err)
		return
	}
	defer func() { _ = conn.Close() }()
	x.ex.Status = http.StatusSwitchingProtocols
	if x.conn != nil {
		x.conn.Tunnel()
	}
	_ = conn.SetDeadline(time.Time{})
	if writeSwitch(conn, resp) != nil {
		x.ex.Status, x.ex.Class = StatusClientGone, "client_gone"
		return
	}
	t := &tunnel{idle: x.in.upstreams[x.ex.Upstream].idle}
	t.end = func() { _ = backend.Close(); _ = conn.Close() }
	stop := context.AfterFunc(x.p.base, t.end)
	defer stop()
	defer t.stop()
	// Bytes that came with the request wait in net/http's reader.
	var wg sync.WaitGroup
	wg.Go(func() { t.copy(backend, buffered.Reader, backend, &x.ex.Received) })
	t.copy(conn, backend, x.client(conn), &x.ex.Bytes)
	wg.Wait()
	if t.cut.Load() {
		x.ex.Aborted, x.ex.Class = true, "tunnel_cut"
		x.tell(errTunnelCut)
	}
}

var errTunnelCut = errors.New("an end of the tunnel broke off, or was idle for too long after the other had ended")

// offered reports whether got is among the protocols the client named.
func offered(wanted, got string) bool {
	for protocol := range strings.SplitSeq(wanted, ",") {
		if got != "" && strings.EqualFold(strings.TrimSpace(protocol), got) {
			return true
		}
	}
	return false
}

// client is what half-closes the client's side.
func (x *forwarding) client(conn net.Conn) any {
	if x.conn != nil {
		return shutdowner{x.conn.ShutdownWrite}
	}
	return conn
}

type shutdowner struct{ f func() error }

// CloseWrite half-closes.
func (s shutdowner) CloseWrite() error { return s.f() }

func writeSwitch(conn net.Conn, resp *http.Response) error {
	h := http.Header{}
	copyEndToEnd(h, resp.Header)
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", resp.Header.Get("Upgrade"))
	w := bufio.NewWriter(conn)
	_, _ = w.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.Write(w)
	_, _ = w.WriteString("\r\n")
	return w.Flush()
}

// tunnel is the state of both directions. While both are open nothing limits
// them; once one has ended the other is cut when it is idle for too long, for
// else a peer that never closes would hold it for ever.
type tunnel struct {
	idle time.Duration
	end  func() // closes both connections
	cut  atomic.Bool

	mu    sync.Mutex
	timer *time.Timer // runs once one direction has ended
}

// copy passes bytes until src ends, and then the end itself.
func (t *tunnel) copy(dst io.Writer, src io.Reader, half any, count *int64) {
	buf := blocks.Get().(*[block]byte)
	defer blocks.Put(buf)
	for {
		n, err := src.Read(buf[:])
		if n > 0 {
			t.alive()
			m, werr := dst.Write(buf[:n])
			*count += int64(m)
			if werr != nil {
				err = werr
			}
		}
		if err == nil {
			continue
		}
		if c, ok := half.(interface{ CloseWrite() error }); ok && errors.Is(err, io.EOF) && c.CloseWrite() == nil {
			t.half()
			return
		}
		t.cut.Store(true) // an error is an end for both
		t.end()
		return
	}
}

// half starts the clock for the direction that is left.
func (t *tunnel) half() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil {
		t.timer = time.AfterFunc(t.idle, func() {
			t.cut.Store(true)
			t.end()
		})
	}
}

// alive restarts the clock, if it runs.
func (t *tunnel) alive() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Reset(t.idle)
	}
}

func (t *tunnel) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}
