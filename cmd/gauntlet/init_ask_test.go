package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/targets"
)

func TestAsking(t *testing.T) {
	for name, c := range map[string]struct {
		given   initCmd
		answers string
		want    initCmd
		asked   int
	}{
		"a command":     {initCmd{Out: "/tmp/web/g.yaml"}, "\n./a ${listen} ${backend.0}\n\napi.example\n/api\n", initCmd{Out: "/tmp/web/g.yaml", Name: "web", Start: "./a ${listen} ${backend.0}", Drain: "SIGTERM", Host: "api.example", Prefix: "/api"}, 5},
		"no graceful":   {initCmd{Name: "a", Start: "a"}, "none\n\n\n", initCmd{Name: "a", Start: "a"}, 3},
		"one that runs": {initCmd{Name: "a"}, "\n\n127.0.0.1:9001, 127.0.0.1:9002\n\n\n", initCmd{Name: "a", URL: "http://127.0.0.1:8080", BackendListen: []string{"127.0.0.1:9001", "127.0.0.1:9002"}}, 5},
		"flags stand":   {initCmd{Name: "a", Start: "a", Drain: "SIGQUIT", Host: "h", Prefix: "/p"}, "", initCmd{Name: "a", Start: "a", Drain: "SIGQUIT", Host: "h", Prefix: "/p"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var said strings.Builder
			require.NoError(t, c.given.ask(strings.NewReader(c.answers), &said))
			require.Equal(t, c.want, c.given)
			require.Equal(t, c.asked, strings.Count(said.String(), ": "), said.String())
		})
	}
	var c initCmd
	require.ErrorIs(t, c.ask(strings.NewReader("edge\n"), &strings.Builder{}), errNoAnswer)
}

func TestWordsOfACommand(t *testing.T) {
	for text, want := range map[string][]string{
		`a -b  c`:           {"a", "-b", "c"},
		`sh -c "x 'y' \"z"`: {"sh", "-c", `x 'y' "z`},
		`a '' b\ c 'd\e'`:   {"a", "", "b c", `d\e`},
		"a\t${listen}\n":    {"a", "${listen}"},
	} {
		words, err := shellWords(text)
		require.NoError(t, err, text)
		require.Equal(t, want, words, text)
	}
	for _, text := range []string{"", "  ", `a "b`, `a 'b`, `a \`, "a \xff"} {
		_, err := shellWords(text)
		require.ErrorContains(t, err, "; allowed: ", text)
	}
}

// Whatever somebody types, what is written reads back as it was meant.
func FuzzInitText(f *testing.F) {
	f.Add("edge", "./a", "true", "SIGHUP")
	f.Add("no", "- x", "a: b", "&y *z")
	f.Add("\xff", "a", "b", "c")
	f.Add("~", "{", "#c", "0x1")
	f.Fuzz(func(t *testing.T, name, arg, old, with string) {
		c := initCmd{Name: name, Start: "p ${listen} ${backend.0} '" + strings.ReplaceAll(arg, "'", "") + "'", File: "f", Replace: []string{old + "=" + with}, Features: []string{"pool"}}
		text, err := c.text()
		if err != nil {
			return
		}
		_, spec, err := targets.Parse("g.yaml", text, func(string) (string, bool) { return "", false })
		if err != nil {
			return
		}
		require.Equal(t, name, spec.Name)
		require.Equal(t, []string{"p", "${listen}", "${backend.0}", strings.ReplaceAll(arg, "'", "")}, spec.Start)
	})
}
