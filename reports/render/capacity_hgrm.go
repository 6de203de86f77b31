package render

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"gauntlet/reports/capacity"
)

// CapacityHGRM writes the distribution at the rate found in the percentile
// format of HdrHistogram, which its plotters read: milliseconds, share, count,
// 1/(1 - share).
func CapacityHGRM(w io.Writer, r *capacity.Report) error {
	var b strings.Builder
	b.WriteString("       Value     Percentile TotalCount 1/(1-Percentile)\n\n")
	all := append([]capacity.Percentile{}, r.Percentiles...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].Share < all[j].Share })
	for _, p := range all {
		if p.Share >= 1 {
			fmt.Fprintf(&b, "%12.3f %2.12f %10d\n", float64(p.MS), p.Share, p.Count)
			continue
		}
		fmt.Fprintf(&b, "%12.3f %2.12f %10d %14.2f\n", float64(p.MS), p.Share, p.Count, 1/(1-p.Share))
	}
	if n := len(all); n > 0 {
		fmt.Fprintf(&b, "#[Max     = %12.3f, Total count    = %12d]\n", float64(all[n-1].MS), all[n-1].Count)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
