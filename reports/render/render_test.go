package render_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/reports"
	"gauntlet/reports/render"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func rendered(tb testing.TB, format string, r *reports.Report, o render.Options) string {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, render.Write(&b, format, r, o))
	return b.String()
}

func TestFormatsLookAsAgreed(t *testing.T) {
	for _, format := range render.Formats() {
		t.Run(format, func(t *testing.T) {
			got := rendered(t, format, sample(), render.Options{Dir: "runs/latest"})
			require.Equal(t, got, rendered(t, format, sample(), render.Options{Dir: "runs/latest"}), "the same report gives the same bytes")
			name, err := render.FileName(format)
			require.NoError(t, err)
			golden := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func TestUnknownFormatIsNamed(t *testing.T) {
	err := render.Write(new(bytes.Buffer), "pdf", sample(), render.Options{})
	require.ErrorIs(t, err, render.ErrFormat)
	require.ErrorContains(t, err, `"pdf"; allowed: ["text" "html" "json" "junit" "md"]`)
	_, err = render.FileName("pdf")
	require.ErrorIs(t, err, render.ErrFormat)
}

func TestReportThatDoesNotAddUpIsNotShown(t *testing.T) {
	for _, format := range render.Formats() {
		r := sample()
		r.Scenarios[0].Cases[0].Ledger.Delivered++
		var b bytes.Buffer
		require.ErrorIs(t, render.Write(&b, format, r, render.Options{}), reports.ErrInvalid, format)
		require.Empty(t, b.Bytes(), format)
	}
}

type broken struct{}

var errBroken = errors.New("disk full")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestFailedWritesAreTold(t *testing.T) {
	for _, format := range render.Formats() {
		require.ErrorIs(t, render.Write(broken{}, format, sample(), render.Options{}), errBroken, format)
	}
}

func TestTerminalIsNotDrivenByWhatWasObserved(t *testing.T) {
	r := sample()
	r.Scenarios[0].Findings[0].Detail = "\x1b[2J\x07 gone \u202e \xff"
	got := rendered(t, "text", r, render.Options{})
	require.NotContains(t, got, "\x1b")
	require.NotContains(t, got, "\u202e")
	for _, format := range []string{"html", "md"} {
		require.NotContains(t, rendered(t, format, r, render.Options{}), "\x1b", format)
	}
}

func TestColourOnlyMarks(t *testing.T) {
	colored := rendered(t, "text", sample(), render.Options{Color: true})
	require.Contains(t, colored, "\x1b[1;31mFAIL")
	require.Equal(t, rendered(t, "text", sample(), render.Options{}), regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored, ""))
}

func TestTableGivesUpColumnsBeforeItWraps(t *testing.T) {
	head := func(width int) string {
		first, _, _ := strings.Cut(rendered(t, "text", sample(), render.Options{Width: width}), "\n")
		return first
	}
	require.Contains(t, head(0), "p99")
	require.NotContains(t, head(90), "p99")
	require.LessOrEqual(t, len(head(90)), 90)
	require.Contains(t, head(20), "unknown", "the four groups always stand")
}

func TestMarkdownFitsAPullRequest(t *testing.T) {
	for name, r := range map[string]*reports.Report{"sample": sample(), "vast": vast()} {
		got := rendered(t, "md", r, render.Options{Dir: "runs/latest"})
		require.LessOrEqual(t, strings.Count(got, "\n"), 30, name)
		for row := range strings.Lines(got) {
			if strings.HasPrefix(row, "|") {
				require.Len(t, regexp.MustCompile(`(^|[^\\])\|`).FindAllString(row, -1), 5, "cells of %s", row)
			}
		}
	}
}

func TestJUnitIsValid(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if os.Getenv("CI") != "" {
		require.NoError(t, err, "CI needs xmllint")
	}
	for name, r := range map[string]*reports.Report{"sample": sample(), "vast": vast(), "nothing": nothing()} {
		for _, strict := range []bool{false, true} {
			got := rendered(t, "junit", r, render.Options{Strict: strict})
			requireJUnit(t, r, strict, got)
			if xmllint == "" {
				continue
			}
			for _, schema := range []string{"ant.xsd", "jenkins.xsd"} {
				out, err := validate(t, xmllint, schema, got)
				require.NoError(t, err, "%s against %s: %s", name, schema, out)
				_, err = validate(t, xmllint, schema, strings.Replace(got, "</testsuites>", "<extra/></testsuites>", 1))
				require.Error(t, err, "%s takes anything", schema)
			}
		}
	}
}

func validate(t *testing.T, xmllint, schema, doc string) ([]byte, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.xml")
	require.NoError(t, os.WriteFile(file, []byte(doc), 0o600))
	return exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", filepath.Join("testdata", schema), file).CombinedOutput()
}

func nothing() *reports.Report {
	var r reports.Report
	r.Settle()
	return &r
}

func TestPageNeedsNothingFromOutside(t *testing.T) {
	page := rendered(t, "html", vast(), render.Options{})
	for what, pattern := range map[string]string{
		"a script":                 `(?i)<script`,
		"an inline style":          `(?i)\sstyle="`,
		"an event handler":         `(?i)\son[a-z]+="`,
		"a resource":               `(?i)\ssrc=|<link|url\(|@import|<iframe|<object|<img`,
		"an address to load from":  `(?i)xlink:href`,
		"a refused template value": `ZgotmplZ`,
	} {
		require.Empty(t, regexp.MustCompile(pattern).FindString(page), what)
	}
	require.Contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;", "what was observed is text")
}

func TestPageLinksLeadSomewhere(t *testing.T) {
	page := rendered(t, "html", vast(), render.Options{})
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		ids[m[1]]++
		require.Equal(t, 1, ids[m[1]], "id %s", m[1])
	}
	links := regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(links), 60)
	for _, m := range links {
		require.Contains(t, ids, m[1])
	}
}

func FuzzFormats(f *testing.F) {
	var b bytes.Buffer
	require.NoError(f, reports.Encode(&b, sample()))
	f.Add(b.Bytes())
	b.Reset()
	require.NoError(f, reports.Encode(&b, nothing()))
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, doc []byte) {
		r, err := reports.Decode(bytes.NewReader(doc))
		if err != nil {
			return
		}
		for _, format := range render.Formats() {
			got := rendered(t, format, r, render.Options{Color: true, Width: 80})
			if format == "md" {
				require.LessOrEqual(t, strings.Count(got, "\n"), 30)
			}
			if format == "html" {
				require.NotContains(t, got, "ZgotmplZ")
				require.NotContains(t, got, "NaN")
			}
		}
	})
}
