package targets

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// install copies the files with their replacements into the instance's
// directory. All are made before the first is written, so that an error leaves
// no half of a configuration there.
func (f *fileTarget) install(dir string, x *expander) error {
	texts := make([]string, len(f.spec.Files))
	for i, file := range f.spec.Files {
		var err error
		if texts[i], err = f.replaced(i, file, x); err != nil {
			return err
		}
	}
	for i, file := range f.spec.Files {
		path := filepath.Join(dir, file.to())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write target file: %w", err)
		}
		if err := writeFile(path, []byte(texts[i])); err != nil {
			return err
		}
	}
	return nil
}

// replaced gives the text of a file with everything put in place. It is an
// error when a text to be replaced does not stand there: the proxy would run
// with addresses that are not the run's.
func (f *fileTarget) replaced(i int, file File, x *expander) (string, error) {
	from := file.From
	if !filepath.IsAbs(from) {
		from = filepath.Join(filepath.Dir(f.path), from)
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return "", fmt.Errorf("%w: %s: files[%d].from: %w", ErrSpec, f.path, i, err)
	}
	// One pass over the text, the first in order first: what was put in is not
	// looked at again.
	pairs := make([]string, 0, 2*len(file.Replace))
	for _, old := range sortedKeys(file.Replace) {
		if !strings.Contains(string(text), old) {
			return "", fmt.Errorf("%w: %s: files[%d].replace: %q does not stand in %s", ErrSpec, f.path, i, old, file.From)
		}
		with, err := x.text(file.Replace[old], fmt.Sprintf("files[%d].replace.%s", i, old))
		if err != nil {
			return "", err
		}
		pairs = append(pairs, old, with)
	}
	return strings.NewReplacer(pairs...).Replace(string(text)), nil
}

// to is where the file goes, below the instance's directory.
func (f File) to() string {
	if f.To != "" {
		return f.To
	}
	return filepath.Base(f.From)
}
