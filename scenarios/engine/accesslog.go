package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxLog bounds the copy of an access log that lives elsewhere, in bytes.
const maxLog = 512 << 20

// logBegins notes how long the target's access log is before it says anything
// of this case: a proxy that runs already has written to it.
func (s *stage) logBegins() {
	if info, err := os.Stat(s.logPath()); err == nil {
		s.logFrom = info.Size()
	}
}

// logPath is where the target writes its access log.
func (s *stage) logPath() string {
	path := s.target.plan.AccessLog
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.target.plan.Dir, path)
}

// keepLog makes the target's access log part of the evidence, and says where it
// is. One that the target did not write into its own directory is copied.
func (s *stage) keepLog() error {
	path, dir := s.logPath(), s.engine.cfg.Dir.Target(s.c.ref)
	if path == "" {
		return nil
	}
	base, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("keep the access log: %w", err)
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("keep the access log: %w", err)
	}
	if name, err := filepath.Rel(base, whole); err == nil && filepath.IsLocal(name) {
		s.facts.Target.Says.Log = name
		return nil
	}
	const copied = "access.log"
	switch err := copyFrom(whole, s.logFrom, filepath.Join(dir, copied)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil // that it is missing is for the judge to say
	case err != nil:
		return fmt.Errorf("keep the access log: %w", err)
	}
	s.facts.Target.Says.Log = copied
	return nil
}

func copyFrom(path string, offset int64, to string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if _, err := in.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(in, maxLog))
	if err == nil && n == maxLog {
		err = fmt.Errorf("more than %d bytes", int64(maxLog))
	}
	return errors.Join(err, out.Close())
}
