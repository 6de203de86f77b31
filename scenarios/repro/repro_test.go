package repro

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/scenarios/catalog"
	"gauntlet/scenarios/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every case of the catalogue is played, in a program that is Go, or it is said
// what the program has no words for.
func TestEachCaseIsPlayedOrSaidToBeTooMuch(t *testing.T) {
	entries, err := catalog.All()
	require.NoError(t, err)
	played := map[string]bool{}
	for _, e := range entries {
		for _, c := range e.Cases {
			p := pack{scene: c, line: &engine.Line{Outcome: "lost"}}
			p.exchange.Seq = 2
			text, err := p.program()
			require.NoError(t, err, "%s %s", c.ID, c.Slug)
			if text == nil {
				require.NotEmpty(t, p.without)
				continue
			}
			played[c.ID] = true
			require.Contains(t, string(text), `"recorded": "lost"`)
			_, err = parser.ParseFile(token.NewFileSet(), "main.go", text, parser.SkipObjectResolution)
			require.NoError(t, err, "%s %s", c.ID, c.Slug)
		}
	}
	t.Logf("%d scenarios can be played: %v", len(played), played)
	for _, id := range []string{"keepalive/close-on-first-byte", "keepalive/connection-close-honoured"} {
		require.True(t, played[id], id)
	}
}

func TestConditionsThatCountAreRead(t *testing.T) {
	for when, want := range map[string]rule{
		"":                                {},
		"connection == 1":                 {Connection: 1},
		"connection == 2 && request == 3": {Connection: 2, Request: 3},
	} {
		r, err := condition(when)
		require.NoError(t, err)
		require.Equal(t, want, r)
	}
	for _, when := range []string{"request > 1", "connection == 0", "during(\"outage\")", "connection == 1 || request == 2"} {
		_, err := condition(when)
		var cannot unplayable
		require.ErrorAs(t, err, &cannot, when)
	}
}

// What stands in the play cannot end the text that holds it.
func TestABacktickDoesNotEndTheProgram(t *testing.T) {
	entries, err := catalog.Select(must(catalog.All()), []string{"keepalive/close-on-first-byte"})
	require.NoError(t, err)
	p := pack{scene: entries[0].Cases[0], line: &engine.Line{Outcome: "a`b"}}
	text, err := p.program()
	require.NoError(t, err)
	require.Contains(t, string(text), `a\u0060b`)
	_, rest, _ := strings.Cut(string(text), "const play = `")
	embedded, _, _ := strings.Cut(rest, "`")
	var back play
	require.NoError(t, json.Unmarshal([]byte(embedded), &back))
	require.Equal(t, "a`b", back.Recorded)
}

func must(entries []catalog.Entry, err error) []catalog.Entry {
	if err != nil {
		panic(err)
	}
	return entries
}
