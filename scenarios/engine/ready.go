package engine

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"gauntlet/scenarios/targets"
	"gauntlet/scenarios/wire"
)

// ErrTarget is wrapped when the target cannot be started or used. It is
// nobody's verdict on the target: the run is invalid.
var ErrTarget = errors.New("target")

// waitReady waits until the target serves, it exits, or its time is up.
func waitReady(ctx context.Context, p *targets.Plan, roots *x509.CertPool, exited <-chan struct{}) error {
	timeout := p.Ready.Timeout
	if timeout == 0 {
		timeout = 15 * time.Second
	}
	end := time.Now().Add(timeout)
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	var last error
	for {
		err := probe(ctx, p, roots)
		if err == nil {
			return nil
		}
		if last == nil || time.Now().Before(end) {
			last = err // not that time was up, but what was the matter until then
		}
		select {
		case <-exited:
			return fmt.Errorf("%w: it ended before it was ready", ErrTarget)
		case <-ctx.Done():
			return fmt.Errorf("%w: not ready after %s: %w", ErrTarget, timeout, last)
		case <-pause.C:
		}
	}
}

// probe asks once.
func probe(ctx context.Context, p *targets.Plan, roots *x509.CertPool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	switch {
	case p.Ready.URL != "":
		return get(ctx, p.Ready.URL)
	case p.Ready.Through != "":
		return through(ctx, p, roots)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", p.Address)
	if err != nil {
		return err
	}
	return c.Close()
}

func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := oneShot().Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return nil
}

// through sends a request without an exchange id on a connection of its own
// and takes any answer that is not a gateway's complaint for ready.
func through(ctx context.Context, p *targets.Plan, roots *x509.CertPool) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", p.Address)
	if err != nil {
		return err
	}
	switch {
	case p.TLS != nil:
		c = tls.Client(c, p.TLS)
	case p.Settings["downstream.tls"] == "true":
		c = tls.Client(c, &tls.Config{RootCAs: roots, ServerName: wire.DefaultName, MinVersion: tls.VersionTLS12})
	}
	defer func() { _ = c.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Address+p.Request.Prefix+p.Ready.Through, nil)
	if err != nil {
		return err
	}
	req.Host = p.Request.Host
	for k, v := range p.Request.Headers {
		req.Header.Set(k, v)
	}
	req.Close = true
	if err := req.Write(c); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("a request through it was answered %s", resp.Status)
	}
	return nil
}
