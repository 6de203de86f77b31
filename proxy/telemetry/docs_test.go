package telemetry

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

const page = "../../docs/telemetry.md"

var update = flag.Bool("update", false, "write the table of metrics in docs/telemetry.md anew")

// names are the values of the constants in a file of this package, by prefix
// of their own name: Metric, Label, Attr, Event, Error, Log.
func names(t *testing.T, file string) map[string][]string {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	all := map[string][]string{}
	prefix := regexp.MustCompile(`^[A-Z][a-z]+`)
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) == 0 {
			return true
		}
		ast.Inspect(spec.Values[0], func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				kind := prefix.FindString(spec.Names[0].Name)
				all[kind] = append(all[kind], text)
			}
			return true
		})
		return true
	})
	return all
}

// table gives the first column of the table under a heading.
func table(t *testing.T, text, heading string) (first []string) {
	_, rest, ok := strings.Cut(text, "\n## "+heading+"\n")
	require.True(t, ok, "no heading %q", heading)
	rest, _, _ = strings.Cut(rest, "\n## ")
	for line := range strings.Lines(rest) {
		if cell := strings.Split(line, "|"); len(cell) > 2 && strings.Contains(cell[1], "`") {
			first = append(first, strings.Trim(cell[1], " `"))
		}
	}
	return first
}

// TestEveryNameIsDocumented, and nothing else is.
func TestEveryNameIsDocumented(t *testing.T) {
	raw, err := os.ReadFile(page)
	require.NoError(t, err)
	text, all := string(raw), names(t, "names.go")
	for heading, kind := range map[string]string{
		"Metrics": "Metric", "Labels": "Label", "Span attributes": "Attr", "Span events": "Event", "Error types": "Error", "Log keys": "Log",
	} {
		want := slices.DeleteFunc(slices.Clone(all[kind]), func(s string) bool { return s == EventPrefix || s == LabelOverflow })
		require.ElementsMatch(t, want, table(t, text, heading), heading)
	}
	reasons := append(names(t, "delivery.go")["Dropped"], names(t, "admission.go")["Left"]...)
	require.ElementsMatch(t, reasons, table(t, text, "Dropped and left out"))
}

// TestTableOfMetrics is what the registry says of itself.
func TestTableOfMetrics(t *testing.T) {
	rows := map[string]string{}
	for _, f := range everything(t) {
		if !strings.HasPrefix(f.GetName(), "gauntlet_") {
			continue
		}
		labels := map[string]bool{}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				labels[l.GetName()] = true
			}
		}
		kind := strings.ToLower(f.GetType().String())
		if f.GetType() == dto.MetricType_HISTOGRAM {
			kind = "histogram, native and classic"
			require.NotNil(t, f.Metric[0].Histogram.Schema, f.GetName())
			require.NotEmpty(t, f.Metric[0].Histogram.Bucket, f.GetName())
		}
		rows[f.GetName()] = fmt.Sprintf("| `%s` | %s | %s | %s |\n", f.GetName(), kind, strings.Join(slices.Sorted(maps.Keys(labels)), ", "), f.GetHelp())
	}
	require.Len(t, rows, len(names(t, "names.go")["Metric"]), "a metric is in names.go and made")
	text := "| metric | type | labels | what it counts |\n|---|---|---|---|\n"
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		text += rows[name]
	}
	raw, err := os.ReadFile(page)
	require.NoError(t, err)
	const begin, end = "<!-- metrics: written by go test ./proxy/telemetry -update -->\n", "<!-- end -->\n"
	before, rest, ok := strings.Cut(string(raw), begin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := before + begin + text + end + after
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o600))
	}
	require.Equal(t, want, string(raw), "run it with -update and look at the difference")
}
