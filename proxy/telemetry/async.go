package telemetry

import (
	"context"
	"io"
	"time"
)

// What waits for a slow writer is bounded: by lines and by bytes.
const (
	lines     = 8192
	lineBytes = 4 << 20
)

const (
	gatherFile = 5 * time.Millisecond // lines of a file wait so long for company: one write for all
	plenty     = 64 << 10             // and no longer when there are so many bytes
)

// asyncLines gathers lines for a writer that may be slow.
type asyncLines = gatherer[byte]

func newAsyncLines(d *delivery, wait time.Duration, put func(ctx context.Context, lines []byte) error) *asyncLines {
	return newGatherer(d, bounds{records: lines, parts: lineBytes, plenty: plenty, wait: wait}, func(text []byte, records int) {
		d.deliver(records, func(ctx context.Context) error { return put(ctx, text) })
	})
}

// writing gives lines to a writer. What it could not write is not tried again:
// nobody knows how much of it was.
func writing(w io.Writer) func(context.Context, []byte) error {
	return func(_ context.Context, lines []byte) error {
		_, err := w.Write(lines)
		return err
	}
}
