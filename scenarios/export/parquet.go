package export

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// group is how many rows a row group has at most: the writer keeps one of them
// in memory, some 10 MB.
const group = 65_536

// Parquet writes rows as Apache Parquet, compressed by Zstandard, in row groups
// of at most 65,536. Its metadata says gauntlet.schema.
type Parquet struct{ w *parquet.GenericWriter[Row] }

// NewParquet begins a file. Close ends it; w stays the caller's to close.
func NewParquet(w io.Writer) *Parquet { return newParquet(w, group) }

func newParquet(w io.Writer, rows int64) *Parquet {
	return &Parquet{parquet.NewGenericWriter[Row](w,
		parquet.Compression(&zstd.Codec{}), parquet.MaxRowsPerRowGroup(rows), parquet.KeyValueMetadata("gauntlet.schema", Schema))}
}

// Write implements Sink.
func (p *Parquet) Write(rows []Row) error {
	if _, err := p.w.Write(rows); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}

// Close writes what is left and the footer, without which the file is none.
func (p *Parquet) Close() error {
	if err := p.w.Close(); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}
