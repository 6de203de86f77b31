package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"time"
)

// RunID names a run: 16 hexadecimal digits of what tells it from every other,
// when it began, how long it took to the millisecond, its seed and its target.
// A run that is judged again keeps its name.
func RunID(started time.Time, took Seconds, seed uint64, target Target) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %q %q %q",
		started.UTC().Format(time.RFC3339Nano), int64(math.Round(float64(took)*1000)), seed, target.Name, target.Version, target.ConfigSHA256))
	return hex.EncodeToString(sum[:8])
}

// ID names the run that the report is of.
func (r *Report) ID() string { return RunID(r.Started, r.Seconds, r.Seed, r.Target) }
