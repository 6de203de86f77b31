package compare

import "gauntlet/reports"

// settle gives every figure its interval and its word, and the comparison its
// verdict. The error of all intervals together is shared out evenly
// (Bonferroni), so that of many figures not one alarms by chance.
func (m *maker) settle(c *Comparison) {
	told := 0
	for _, f := range m.found {
		if f.by != nil {
			told++
		}
	}
	each := 1 - (1-m.Confidence)/float64(max(told, 1))
	for _, f := range m.found {
		if f.by != nil {
			low, high := f.by.Bounds(each)
			f.Low, f.High, f.Word = &low, &high, word(low, high, f.allowed, f.more)
		}
		c.Rows[f.row].Figures = append(c.Rows[f.row].Figures, f.Figure)
		c.Counts[f.Word]++
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		c.Counts[r.Word]++
		if r.Figures == nil {
			r.Figures = []Figure{}
		}
	}
	c.Verdict = verdictOf(c)
}

func verdictOf(c *Comparison) reports.Verdict {
	switch {
	case c.Counts[Worse] > 0:
		return reports.Fail
	case c.Counts[Same]+c.Counts[Better]+c.Counts[Unclear] == 0:
		return reports.Invalid
	}
	return reports.Pass
}

// word says what an interval of a difference means.
func word(low, high, allowed float64, more bool) Word {
	if more {
		low, high = -high, -low
	}
	switch {
	case low > allowed:
		return Worse
	case high < -allowed:
		return Better
	case low >= -allowed && high <= allowed:
		return Same
	}
	return Unclear
}
