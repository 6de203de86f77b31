package export

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// The writer keeps one row group in memory, so it must end each in time.
func TestRowGroupsAreBounded(t *testing.T) {
	var to bytes.Buffer
	p := newParquet(&to, 100)
	for range 10 {
		require.NoError(t, p.Write(make([]Row, 75)))
	}
	require.NoError(t, p.Close())
	f, err := parquet.OpenFile(bytes.NewReader(to.Bytes()), int64(to.Len()))
	require.NoError(t, err)
	require.EqualValues(t, 750, f.NumRows())
	require.Len(t, f.RowGroups(), 8)
	for _, g := range f.RowGroups() {
		require.LessOrEqual(t, g.NumRows(), int64(100))
	}
}
