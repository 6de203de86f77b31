package gauntlet_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The folders that may stand at the top and hold Go, and what for.
var folders = map[string]string{
	"cmd":        "the one binary",
	"proxy":      "the reference proxy",
	"fixtures":   "what a scenario stands on",
	"chaos":      "faults and what applies them",
	"scenarios":  "the scenario type, the catalogue and the harness",
	"reports":    "the report model and its renderers",
	"dashboards": "dashboards as code",
	"tools":      "what we build with, each in a module of its own",
}

func TestFoldersAreThoseOfTheDesign(t *testing.T) {
	for _, p := range packages(t) {
		top, _, _ := strings.Cut(p.path, "/")
		if top != "." {
			require.Contains(t, folders, top, "package %s", p.path)
		}
		require.NotEqual(t, "tools", top, "%s: tools are modules of their own", p.path)
		require.NotContains(t, []string{"util", "utils", "common", "helpers", "misc"}, filepath.Base(p.path), "a package is named by what it does")
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 {
			require.NotEmpty(t, p.Doc, "package %s has no comment: what lives there, and what may not?", p.path)
		}
	}
}

func TestProxyKnowsNoMutants(t *testing.T) {
	files := 0
	require.NoError(t, filepath.WalkDir("proxy", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		require.NotContains(t, strings.ToLower(path), "mutant")
		require.False(t, bytes.Contains(bytes.ToLower(text), []byte("mutant")), "%s: what breaks the proxy on purpose is none of its business", path)
		return err
	}))
	require.Positive(t, files)
}

// What of package os belongs to the binary, and why; the packages that may use
// it all the same, and why.
var binaryOnly = map[string]struct {
	because string
	except  map[string]string
}{
	"Args":      {because: "arguments are parsed in cmd"},
	"Exit":      {because: "exit codes are given in cmd, after everything was closed"},
	"Getenv":    {because: "settings come in as values", except: environment},
	"LookupEnv": {because: "settings come in as values", except: environment},
}

var environment = map[string]string{
	"fixtures/container": "where Docker answers is told by the variables that all its tools share",
	"scenarios/targets":  "a target file names secrets as ${env:NAME}, so that they stay out of files",
}

func TestOnlyTheBinaryKnowsItsSurroundings(t *testing.T) {
	for _, p := range packages(t) {
		if matches("cmd/...", p.path) {
			continue
		}
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "os" {
						rule := binaryOnly[sel.Sel.Name]
						if rule.except[p.path] == "" {
							require.Empty(t, rule.because, "%s uses os.%s", path, sel.Sel.Name)
						}
					}
				}
				return true
			})
		}
	}
}
