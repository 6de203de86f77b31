package render

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"gauntlet/reports"
)

//go:embed page/*.tmpl page/*.css
var pages embed.FS

// HTML writes the report as one page that needs nothing beside it: no script,
// no font, no picture from elsewhere, no inline style attribute. Its own
// policy forbids all of that, and charts keep their colours and their words
// where a stricter policy takes the style sheet away too.
func HTML(w io.Writer, r *reports.Report) error {
	style, err := pages.ReadFile("page/style.css")
	if err != nil {
		return err
	}
	t, err := template.New("page.tmpl").Funcs(words()).ParseFS(pages, "page/page.tmpl", "page/card.tmpl", "page/chart.tmpl", "page/parts.tmpl")
	if err != nil {
		return fmt.Errorf("html: %w", err)
	}
	v := viewOf(r)
	v.Style = template.CSS(style) //nolint:gosec // ours, from the binary
	v.StyleHash = hashOf(style)
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return fmt.Errorf("html: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// hashOf names a style sheet in a Content-Security-Policy (CSP3 §2.3.1).
func hashOf(style []byte) string {
	sum := sha256.Sum256(style)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func words() template.FuncMap {
	return template.FuncMap{
		"grouped":  grouped,
		"plural":   plural,
		"millis":   millis,
		"seconds":  seconds,
		"label":    label,
		"clean":    clean,
		"verdict":  func(v reports.Verdict) string { return label(string(v)) },
		"join":     strings.Join,
		"accepted": acceptedWords,
		"px":       px,
	}
}
