// Package reload reads a configuration file again: when asked, and when it has
// changed. It decides when; what a new configuration means is not its business.
package reload

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"gauntlet/proxy/config"
)

// Every is how often Watch looks unless told otherwise. A change is acted on
// when two looks in a row have seen the same.
const Every = 250 * time.Millisecond

// File is a configuration file that may change. It is safe for concurrent use.
type File struct {
	path string

	mu    sync.Mutex
	tried [sha256.Size]byte // the content that Load gave last
}

// NewFile describes the file at path. It may be a symbolic link whose target
// changes, as those of a Kubernetes ConfigMap do.
func NewFile(path string) *File { return &File{path: path} }

// Load reads and validates the file. Its errors are those of config.Load.
func (f *File) Load() (*config.Config, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := f.read()
	if err != nil {
		return nil, fmt.Errorf("read proxy configuration: %w", err)
	}
	f.tried = sha256.Sum256(data)
	return config.Parse(f.path, data)
}

func (f *File) read() ([]byte, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	return io.ReadAll(io.LimitReader(file, config.MaxFile+1))
}

// Watch calls changed each time the file has another content than Load gave
// last, until ctx ends. It looks at every interval; half-written files are
// given time by waiting for two equal looks, and a file that is missing for a
// while is waited for. changed is expected to Load; content it refused is not
// offered again.
func (f *File) Watch(ctx context.Context, every time.Duration, changed func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last look
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := f.look(last)
		if err != nil {
			now = look{} // it may be on its way from one name to another
		}
		if now.here && now.sum == last.sum && last.here && now.sum != f.last() {
			changed()
		}
		last = now
	}
}

func (f *File) last() [sha256.Size]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tried
}

// look is what one look has seen.
type look struct {
	here bool
	info fs.FileInfo
	sum  [sha256.Size]byte
}

// settled is the age from which a file's time can be trusted to tell a later
// write: file systems count in steps of up to two seconds.
const settled = 2 * time.Second

// look reads the file unless nothing can have changed since the last look.
func (f *File) look(last look) (look, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return look{}, err
	}
	if last.here && os.SameFile(info, last.info) && info.Size() == last.info.Size() &&
		info.ModTime().Equal(last.info.ModTime()) && time.Since(info.ModTime()) > settled {
		return last, nil
	}
	data, err := f.read()
	if err != nil {
		return look{}, err
	}
	// No configuration is empty: such a file is only being written.
	return look{here: len(data) > 0, info: info, sum: sha256.Sum256(data)}, nil
}
