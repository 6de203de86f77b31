package targets_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/targets"
)

var update = flag.Bool("update", false, "write golden files anew")

const schemaFile = "testdata/target.schema.json"

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := targets.Schema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("target.schema.json", doc))
	s, err := c.Compile("target.schema.json")
	require.NoError(t, err)
	return s
}

func instance(t *testing.T, text string) any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	return v
}

func TestSchemaGolden(t *testing.T) {
	data, err := targets.Schema()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, data, 0o644))
	}
	want, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, string(want), string(data), "the types changed: run with -update and look")
}

func TestGoodFilesAreValidByTheSchema(t *testing.T) {
	s := schema(t)
	files, err := filepath.Glob("../../docs/examples/*/gauntlet.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, s.Validate(instance(t, string(text))), name)
		_, _, err = targets.Parse(name, text, noEnv)
		require.NoError(t, err)
	}
	for name, text := range goodFiles {
		require.NoError(t, s.Validate(instance(t, text)), name)
	}
}

// What is wrong with the shape of a file an editor shall see, too.
func TestTheSchemaRefusesMalformedShapes(t *testing.T) {
	s := schema(t)
	refused := 0
	for name, c := range malformed {
		if !c.shape {
			continue
		}
		refused++
		t.Run(name, func(t *testing.T) {
			require.Error(t, s.Validate(instance(t, strings.Replace(full, c.old, c.with, 1))))
		})
	}
	require.GreaterOrEqual(t, refused, 15)
}
