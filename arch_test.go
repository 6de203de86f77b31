package gauntlet_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An edge says which packages may import which, and why. A pattern is a
// package, or a package and all below it ("proxy/...").
type edge struct{ from, to, because string }

// What no edge of this table allows is forbidden. It is the law of the
// design's layout; a new row needs a reason that a stranger understands.
var allowed = []edge{
	{"proxy/...", "proxy/...", "the proxy can be imported by itself, so it stands on nothing else of ours"},

	{"fixtures/...", "fixtures/...", "what a scenario stands on shares ids, books and quantities"},
	{"fixtures/mutants/...", "proxy/...", "a mutant wraps or replaces a part of the proxy from outside"},
	{"fixtures/container", "chaos/process", "containers are cleared away by the supervisor that outlives the harness"},

	{"chaos/...", "chaos/...", "the relay applies fault values, the supervisor serves every kind of process"},
	{"chaos/...", "fixtures/book", "a relay writes receipts into a book"},
	{"chaos/...", "fixtures/http1", "what a fault does to answers needs them read, by the measuring side's own parser"},
	{"chaos/...", "fixtures/exchange", "a record of a changed answer names its exchange and sums its body as all books do"},
	{"chaos/...", "fixtures/units", "faults are written in durations, sizes and rates"},
	{"chaos/...", "fixtures/strict", "faults are decoded as strictly as everything people write"},

	{"reports/...", "reports/...", "renderers show the model and nothing else"},

	{"scenarios/...", "scenarios/...", "the harness is built of its own parts; see never"},
	{"scenarios/...", "fixtures/...", "scenarios stand on fixtures"},
	{"scenarios/...", "chaos/...", "scenarios apply faults"},
	{"scenarios/...", "reports", "the judge fills the report; how it looks is not its business"},
	{"scenarios/capacity", "reports/capacity", "the search fills its own report; how it looks is not its business"},
	{"scenarios/targets/...", "proxy/...", "the reference proxy is one of the targets"},

	{"dashboards/...", "dashboards/...", "dashboards are code of their own"},

	{"cmd/...", "cmd/...", "one binary"},
	{"cmd/...", "proxy/...", "gauntlet proxy runs the reference proxy"},
	{"cmd/...", "fixtures/...", "gauntlet dev runs backends and mutants"},
	{"cmd/...", "chaos/...", "gauntlet chaos and the supervisor are subcommands"},
	{"cmd/...", "scenarios/...", "gauntlet run puts the harness together"},
	{"cmd/...", "reports/...", "gauntlet run writes reports"},
	{"cmd/...", "dashboards/...", "gauntlet dashboards writes them out"},
}

// What the rows above would let through and must not be.
var never = []edge{
	{"scenarios/engine/...", "scenarios/catalog/...", "the engine runs any scenario and must not know ours"},
	{"scenarios/catalog/...", "scenarios/engine/...", "a scenario is data; how it is run is not its business"},
	{"scenarios/engine/...", "fixtures/mutants/...", "the engine must not treat a mutant as anything but a target"},
	{"scenarios/ledger/...", "fixtures/mutants/...", "the ledger must not know what damage was declared"},
	{"scenarios/expect/...", "fixtures/mutants/...", "a judge who knows the culprit proves nothing"},
}

// The same for packages that are not ours: inside the first pattern only the
// second may import those that begin with the third.
var fenced = []struct{ inside, only, prefix, because string }{
	{"proxy/...", "proxy/telemetry/...", "github.com/prometheus/", "one package owns every metric's name"},
	{"proxy/...", "proxy/telemetry/...", "go.opentelemetry.io/otel/sdk", "one package sets the tracer up"},
	{"proxy/...", "proxy/telemetry/...", "go.opentelemetry.io/otel/exporters", "one package sets the tracer up"},
	{"proxy/...", "", "net/http/httputil", "its reverse proxy is what we measure ourselves against, not what we stand on"},
	{"...", "scenarios/load/...", "github.com/tsenart/vegeta", "one package knows the attacker, so that its timing rules are kept"},
	{"...", "fixtures/container/...", "github.com/testcontainers/", "Docker is optional: one package knows it"},
	{"...", "reports/...", "gonum.org/", "what figures mean is said where reports are made; whoever measures only measures"},
	{"...", "reports/history/...", "modernc.org/", "one package knows the database"},
	{"...", "scenarios/export/...", "github.com/parquet-go/", "one package knows the format that exchanges leave in"},
	{"...", "cmd/...", "github.com/alecthomas/kong", "flags belong to the binary"},
	{"scenarios/wire/...", "", "net/http", "the wire client parses HTTP/1 itself, sharing no blind spot with a target"},
	{"fixtures/http1/...", "", "net/http", "the measuring side parses HTTP/1 itself, sharing no blind spot with a target"},
}

type pkg struct {
	ImportPath, Dir, Name, Doc         string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
	path                               string // ImportPath without the module; "." is the root
}

func (p pkg) all() []string { return slices.Concat(p.Imports, p.TestImports, p.XTestImports) }

func ours(importPath string) (string, bool) {
	if importPath == "gauntlet" {
		return ".", true
	}
	return strings.CutPrefix(importPath, "gauntlet/")
}

func packages(t *testing.T) (all []pkg) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Dir,Name,Doc,GoFiles,Imports,TestImports,XTestImports", "./...").Output()
	require.NoError(t, err)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			require.NotEmpty(t, all)
			return all
		} else {
			require.NoError(t, err)
		}
		p.path, _ = ours(p.ImportPath)
		all = append(all, p)
	}
}

func matches(pattern, path string) bool {
	if pattern == "..." {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == below || strings.HasPrefix(path, below+"/")
	}
	return pattern == path
}

// breach says which law an import breaks, or "".
func breach(from, to string) string {
	is := func(e edge) bool { return matches(e.from, from) && matches(e.to, to) }
	if i := slices.IndexFunc(never, is); i >= 0 {
		return never[i].because
	}
	if slices.ContainsFunc(allowed, is) {
		return ""
	}
	s := "no edge of the import law allows it"
	for _, e := range allowed {
		if matches(e.from, from) {
			s += "\n  it may import " + e.to + ": " + e.because
		}
	}
	return s
}

func TestImportsKeepTheLaw(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.all() {
			to, is := ours(imported)
			if !is || to == p.path {
				continue
			}
			require.Empty(t, breach(p.path, to), "%s imports %s", p.path, to)
		}
	}
}

func TestForeignPackagesStayInTheirFence(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range fenced {
			if !matches(f.inside, p.path) || f.only != "" && matches(f.only, p.path) {
				continue
			}
			for _, imported := range p.Imports {
				require.False(t, strings.HasPrefix(imported, f.prefix), "%s imports %s: %s", p.path, imported, f.because)
			}
		}
	}
}

func TestTheLawCanBeBroken(t *testing.T) {
	for _, c := range []struct {
		from, to string
		lawful   bool
	}{
		{"proxy/transport", "proxy/config", true},
		{"proxy", "fixtures/exchange", false},
		{"proxy/edge/trace", "reports", false},
		{"proxyx", "proxy", false},
		{"fixtures/mutants", "proxy/policy", true},
		{"fixtures/backend", "proxy/transport", false},
		{"fixtures/backend", "scenarios/wire", false},
		{"chaos/relay", "fixtures/book", true},
		{"chaos/relay", "scenarios", false},
		{"reports/render", "scenarios/ledger", false},
		{"reports", "fixtures/units", false},
		{"scenarios/targets", "proxy", true},
		{"scenarios/engine", "proxy", false},
		{"scenarios/engine", "scenarios/catalog", false},
		{"scenarios/engine", "scenarios/ledger", true},
		{"scenarios/ledger", "fixtures/mutants/saboteur", false},
		{"scenarios/engine", "reports/render", false},
		{"cmd/gauntlet", "scenarios/catalog", true},
		{"reports", "cmd/gauntlet", false},
	} {
		require.Equal(t, c.lawful, breach(c.from, c.to) == "", "%s imports %s", c.from, c.to)
	}
}
