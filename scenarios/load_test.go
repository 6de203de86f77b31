package scenarios_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/scenarios"
	"gauntlet/scenarios/decode"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t *testing.T, name string) []*scenarios.Case {
	t.Helper()
	cases, err := scenarios.Load(os.DirFS("testdata/examples"), name)
	require.NoError(t, err)
	return cases
}

func TestTheExamplesLoad(t *testing.T) {
	for name, n := range map[string]int{
		"breaker-opens-and-heals.yaml": 1, "chunked-missing-last-chunk.yaml": 8, "general-mixed-traffic.yaml": 1, "keepalive-stale-pool-walk.yaml": 3,
		"pool-leak-on-cancel.yaml": 1, "shutdown-idle-close-race.yaml": 1, "timeouts-phases.yaml": 3,
	} {
		require.Len(t, load(t, name), n, name)
	}
	files, err := filepath.Glob("testdata/examples/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 7)
}

func TestVaryPutsValuesInWithTheirTypes(t *testing.T) {
	c := load(t, "keepalive-stale-pool-walk.yaml")
	require.Equal(t, []string{"idle=1", "idle=5", "idle=10"}, []string{c[0].Slug, c[1].Slug, c[2].Slug})
	require.Equal(t, 10, c[2].Clients[0].Times, "a whole ${x} keeps its type")
	require.Equal(t, "connection <= 10 && request == 1", c[2].Backend(1).Script[0].When, "text takes it in")
	require.Equal(t, 5, c[1].Backend(1).Script[0].Do[2].Await.Count)
	require.Equal(t, map[string]any{"idle": int64(5)}, c[1].Values)

	p := load(t, "timeouts-phases.yaml")
	require.Equal(t, map[string]string{"upstream.timeouts.connect": "500ms", "upstream.retries": "0"}, p[0].Given(), "keys take it in too")
	require.Equal(t, "blackhole(connect)", p[0].Faults[0].Fault.String())
	require.False(t, p[1].Faults[0].Does())
	require.Len(t, *p[2].Backend(1).Script[0].Do[0].Steps, 4)

	m := load(t, "chunked-missing-last-chunk.yaml")
	require.Equal(t, "cut=final-crlf,end=rst", m[7].Slug)
	require.True(t, m[7].Backend(1).Script[0].Do[2].Rst)
}

func TestACaseKnowsItsParts(t *testing.T) {
	b := load(t, "breaker-opens-and-heals.yaml")[0]
	require.Equal(t, "breaker", b.Family())
	require.Equal(t, "opens-and-heals", b.Name())
	require.Equal(t, "default", b.Slug)
	require.Equal(t, "0.6", b.Given()["upstream.breaker.failure_rate"], "nested settings are flattened")
	require.Equal(t, []string{"outage"}, b.Windows())
	require.Equal(t, []string{"steady"}, b.Loads())
	require.Equal(t, "12s", b.Planned().String())
	require.Equal(t, "1m12s", b.Limit().String())
	g := load(t, "general-mixed-traffic.yaml")[0]
	require.Equal(t, 3, g.BackendCount())
	require.Equal(t, g.Backend(1).Script, g.Backend(3).Script)
	require.Nil(t, g.Backend(4).Script)
	require.Equal(t, "3s", load(t, "pool-leak-on-cancel.yaml")[0].Settle().String())
	link, ok := g.Faults[1].LinkNumber()
	require.True(t, ok)
	require.EqualValues(t, 3, link)
}

func TestIDsStayForTheParties(t *testing.T) {
	cases, err := scenarios.Parse("x.yaml", []byte(strings.Replace(good, "{respond: 200}", `{write: "HTTP/1.1 200 OK\r\nX-Gauntlet-Id: ${id}\r\n\r\n"}`, 1)))
	require.NoError(t, err)
	require.Contains(t, cases[0].Backend(1).Script[0].Do[1].Write.Text, "${id}")
}

// Malformed files stand in testdata/malformed: each begins with a comment that
// is, line by line, the exact error. Run with -update to write them anew, and
// read what it wrote.
func TestMalformedFiles(t *testing.T) {
	require.GreaterOrEqual(t, len(malformed), 30)
	for name, edit := range malformed {
		t.Run(name, func(t *testing.T) {
			text := good
			for i := 0; i < len(edit)-1; i += 2 {
				require.Contains(t, text, edit[i])
				text = strings.Replace(text, edit[i], edit[i+1], 1)
			}
			_, err := scenarios.Parse("x.yaml", []byte(text))
			require.ErrorIs(t, err, decode.ErrInvalid)
			golden := filepath.Join("testdata", "malformed", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
			}
			want, readErr := os.ReadFile(golden)
			require.NoError(t, readErr)
			require.Equal(t, string(want), err.Error()+"\n")
		})
	}
	files, err := filepath.Glob("testdata/malformed/*.txt")
	require.NoError(t, err)
	require.Len(t, files, len(malformed), "every golden file has its case")
}

func TestLoadNamesTheFile(t *testing.T) {
	_, err := scenarios.Load(os.DirFS("testdata"), "none.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/examples/*.yaml")
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		cases, err := scenarios.Parse("x.yaml", data)
		if err != nil {
			require.ErrorIs(t, err, decode.ErrInvalid)
			return
		}
		for _, c := range cases {
			require.NotNil(t, c.Program)
			require.NotEmpty(t, c.Slug)
		}
	})
}
