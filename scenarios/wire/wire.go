// Package wire is the measuring client: raw HTTP/1, and HTTP/2 frame by frame,
// over TCP or TLS. It reads while it writes, keeps what it received before an
// error, never repeats a request by itself and records every exchange in the
// client book. It runs the clients of a scenario; the load package drives it at
// a rate. What an exchange amounts to is the ledger's business, and nothing of
// the proxy or of net/http may live here: Go's own client loses early answers to
// its write errors (golang/go#11745), which would accuse an innocent proxy.
package wire

import (
	"errors"
	"sync/atomic"

	"gauntlet/fixtures/exchange"
)

// ErrLocal is wrapped by errors that are this machine's doing (no descriptor
// or port left, no route) and not the target's. What was measured after one is
// worth nothing.
var ErrLocal = errors.New("the measuring client failed by itself")

// IDs allots the numbers of one run. Every exchange gets one when it is
// started, not when it is planned, so that the numbers in use are dense from 1
// and each has exactly one client record. It may be used from several
// goroutines; wire clients and loads of a run share one.
type IDs struct {
	run   uint64
	seqs  atomic.Uint64
	conns atomic.Uint32
}

// NewIDs returns an allocator for the run.
func NewIDs(run uint64) *IDs { return &IDs{run: run} }

// Next allots the next exchange id.
func (i *IDs) Next() exchange.ID {
	return exchange.ID{Run: i.run, Seq: i.seqs.Add(1)}
}

// Conn allots the next connection number, from 1.
func (i *IDs) Conn() uint32 { return i.conns.Add(1) }

// Sent counts the exchange ids allotted.
func (i *IDs) Sent() uint64 { return i.seqs.Load() }

// Conns counts the connection numbers allotted.
func (i *IDs) Conns() uint32 { return i.conns.Load() }
