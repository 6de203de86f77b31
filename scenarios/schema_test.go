package scenarios_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"gauntlet/scenarios"
)

const schemaFile = "testdata/scenario.schema.json"

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := scenarios.Schema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("scenario.schema.json", doc))
	s, err := c.Compile("scenario.schema.json")
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
	data, err := scenarios.Schema()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, data, 0o644))
	}
	want, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, string(want), string(data), "the types changed: run with -update and look")
}

func TestTheExamplesAreValidByTheSchema(t *testing.T) {
	s := schema(t)
	files, err := filepath.Glob("testdata/examples/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, s.Validate(instance(t, string(data))), name)
	}
	require.NoError(t, s.Validate(instance(t, good)))
}

func TestTheSchemaRefuses(t *testing.T) {
	s := schema(t)
	for _, name := range []string{"id-missing", "id-pattern", "level-unknown", "key-unknown", "vary-empty-text", "repeat-text", "backends-missing", "step-unknown", "client-steps-missing", "load-rate", "fault-unknown", "fault-missing", "action-unknown", "expect-level", "expect-needs"} {
		edit, ok := malformed[name]
		if !ok {
			edit = []string{"[GET, POST]", "GET"}
		}
		text := strings.Replace(good, edit[0], edit[1], 1)
		require.NotEqual(t, good, text)
		require.Error(t, s.Validate(instance(t, text)), name)
	}
}
