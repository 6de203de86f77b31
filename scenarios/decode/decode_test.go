package decode_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/decode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type file struct {
	Name  string         `yaml:"name"`
	Wait  units.Duration `yaml:"wait"`
	Parts []struct {
		Size units.Size `yaml:"size"`
	} `yaml:"parts"`
}

func TestStrictReads(t *testing.T) {
	var f file
	require.NoError(t, decode.Strict("f.yaml", []byte("name: x # why\nwait: 5ms\nparts:\n  - {size: 4KiB}\n"), &f))
	require.Equal(t, "x", f.Name)
	require.EqualValues(t, 5_000_000, f.Wait)
	require.EqualValues(t, 4096, f.Parts[0].Size)
}

func TestStrictReportsEveryProblemWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {"", "f.yaml: found an empty file; allowed: a map"},
		"comment":     {"# only\n", "f.yaml: found an empty file; allowed: a map"},
		"a list":      {"- 1\n", "f.yaml:1:1: found a list; allowed: a map with name, wait, parts"},
		"not YAML":    {"name: [1\n", "f.yaml:1:7: found text that is not YAML (sequence end token ']' not found)"},
		"two":         {"name: a\n---\nname: b\n", "f.yaml:3:1: found 2 documents; allowed: one"},
		"bytes":       {"name: \xff\n", "f.yaml: found bytes that are not UTF-8; allowed: UTF-8 text"},
		"anchor":      {"name: &a x\n", "f.yaml:1:7: found an anchor; allowed: plain values, in place"},
		"alias":       {"name: *a\n", "f.yaml:1:7: found an alias; allowed: plain values, in place"},
		"merge":       {"<<: {name: x}\n", "f.yaml:1:1: found a merge key; allowed: plain values, in place"},
		"tag":         {"name: !!str x\n", "f.yaml:1:7: found a tag; allowed: plain values, in place"},
		"deep":        {"parts: " + strings.Repeat("[", 70), "f.yaml:1:72: found more than 64 levels of nesting; allowed: fewer"},
		"deep dashes": {strings.Repeat("- ", 70), "f.yaml:1:129: found more than 64 levels of nesting; allowed: fewer"},
		"big":         {strings.Repeat("#", 1<<17+1), "f.yaml: found 131073 bytes; allowed: at most 131072"},
		"lines":       {strings.Repeat("# x\n", 9000), "f.yaml:8001:1: found more than 8000 lines; allowed: fewer"},
		"blank lines": {"name: |\n" + strings.Repeat(" \r\n", 60), "f.yaml:102:1: found more than 100 blank lines in a row; allowed: fewer"},
		"several": {"nam: x\nwait: soon\nparts:\n  - {size: 1}\n  - {sice: 1}\nname: a\nname: b\n", `f.yaml:1:1: nam: unknown key "nam"; allowed: name, wait, parts
f.yaml:2:7: wait: not a quantity: "soon" is no duration; write it like 250ms, 1.5s or 2m
f.yaml:5:6: parts[1].sice: unknown key "sice"; allowed: size
f.yaml:7:1: name: key "name" stands here twice`},
	} {
		t.Run(name, func(t *testing.T) {
			var f file
			err := decode.Strict("f.yaml", []byte(c.text), &f)
			require.ErrorIs(t, err, decode.ErrInvalid)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestADocumentKnowsItsPlaces(t *testing.T) {
	root, err := decode.Parse("f.yaml", []byte("name: x\nparts:\n  - {size: 1}\n  - {size: big}\n"))
	require.NoError(t, err)
	d := decode.NewDocument("f.yaml", root)
	var f file
	d.Decode(&f)
	require.True(t, d.Has("parts[1].size"))
	require.False(t, d.Has("parts[2]"))
	d.Reject("parts[0].size", "too small")
	d.Reject("parts[0].pace", "missing")
	d.Reject("parts[1]", "an echo of what could not be decoded")
	require.EqualError(t, d.Err(), `f.yaml:3:5: parts[0].pace: missing
f.yaml:3:12: parts[0].size: too small
f.yaml:4:12: parts[1].size: not a quantity: "big" is no size; write it like 512, 64KiB or 1MiB`)
}

func FuzzStrict(f *testing.F) {
	f.Add([]byte("name: x\nwait: 5ms\nparts:\n  - {size: 4KiB}\n"))
	f.Add([]byte("? a\n: |\n  b\n- "))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v file
		if err := decode.Strict("f.yaml", data, &v); err != nil {
			require.ErrorIs(t, err, decode.ErrInvalid)
		}
	})
}
