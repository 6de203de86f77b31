package render

import (
	"bytes"
	"fmt"
	"html/template"
	"io"

	"gauntlet/reports/capacity"
)

// A capacityView is a capacity report as its page shows it.
type capacityView struct {
	*capacity.Report
	Style     template.CSS
	StyleHash string
	Facts     []capacity.Fact
	Where     []capacity.Fact
	Rows      []capacityRow
	Curves    []curve
}

type capacityRow struct {
	capacity.Probe
	Outcome, Kind, Cores, Reason string
	Direct                       bool
}

// CapacityHTML writes a capacity report as one page that needs nothing beside
// it, under the same rules as HTML.
func CapacityHTML(w io.Writer, r *capacity.Report) error {
	if err := r.Validate(); err != nil {
		return err
	}
	var style []byte
	for _, name := range []string{"page/style.css", "page/capacity.css"} {
		text, err := pages.ReadFile(name)
		if err != nil {
			return err
		}
		style = append(style, text...)
	}
	t, err := template.New("capacity.tmpl").Funcs(words()).Funcs(template.FuncMap{
		"count": capacity.Count, "mib": func(n int64) string { return fmt.Sprintf("%d MiB", n>>20) },
		"quantile": capacity.QuantileName, "share": func(f float64) string { return fmt.Sprintf("%.0f %%", 100*f) },
		"whole": func(f float64) string { return grouped(int(f + .5)) },
	}).ParseFS(pages, "page/capacity.tmpl", "page/parts.tmpl")
	if err != nil {
		return fmt.Errorf("capacity: %w", err)
	}
	v := &capacityView{Report: r, Style: template.CSS(style), StyleHash: hashOf(style), Where: capacitySetup(r)} //nolint:gosec // ours, from the binary
	if r.Found != nil {
		v.Facts = foundFacts(r)
	}
	for _, p := range r.Calibration {
		v.Rows = append(v.Rows, rowOf(p, true))
	}
	for _, p := range r.Probes {
		v.Rows = append(v.Rows, rowOf(p, false))
	}
	v.Curves = curves(r)
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return fmt.Errorf("capacity: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func rowOf(p capacity.Probe, direct bool) capacityRow {
	row := capacityRow{Probe: p, Outcome: outcome(p), Cores: coresOf(p), Reason: whyNot(p), Direct: direct}
	row.Kind = map[string]string{"held": "pass", "failed": "fail", "invalid": "invalid"}[row.Outcome]
	return row
}
