//go:build !linux

package pipe

import (
	"errors"
	"syscall"
)

// Pipe is what cannot be had here.
type Pipe struct {
	held  int
	moved int64
}

func open() *Pipe { return nil }

func (p *Pipe) close() {}

// Fill takes nothing.
func (p *Pipe) Fill(syscall.RawConn, int) (int, error) { return 0, errors.ErrUnsupported }

// Drain sends nothing.
func (p *Pipe) Drain(syscall.RawConn) (int, error) { return 0, errors.ErrUnsupported }

// Held is nothing.
func (p *Pipe) Held() int { return p.held }

func descriptors() int { return 0 }
