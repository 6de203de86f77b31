package balance_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gauntlet/proxy/upstream/balance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nodes makes one node for each weight.
func nodes(weights ...int) []*balance.Node {
	list := make([]*balance.Node, len(weights))
	for i, w := range weights {
		list[i] = balance.NewNode(fmt.Sprintf("10.0.0.%d:80", i), w)
	}
	return list
}

func policy(t require.TestingT, cfg balance.Config) balance.Policy {
	p, err := balance.New(cfg)
	require.NoError(t, err)
	return p
}

func request(header ...string) *http.Request {
	r, _ := http.NewRequest(http.MethodGet, "http://x/path?query", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func key(t require.TestingT, text string) balance.Key {
	k, ok := balance.ParseKey(text)
	require.True(t, ok, text)
	return k
}

// weights draws up to eight weights.
func weights(t *rapid.T) []int {
	return rapid.SliceOfN(rapid.IntRange(1, 20), 1, 8).Draw(t, "weights")
}

func TestRoundRobinTakesTurns(t *testing.T) {
	p, list := policy(t, balance.Config{}), nodes(1, 1, 1)
	for i := range 9 {
		require.Equal(t, i%3, p.Choose(list, request(), false))
	}
}

// One node of three is always refused: the others get its turns in equal parts.
func TestRefusalsStarveNobody(t *testing.T) {
	p, list := policy(t, balance.Config{}), nodes(1, 1, 1)
	rest := []*balance.Node{list[0], list[2]}
	got := map[*balance.Node]int{}
	for range 600 {
		if i := p.Choose(list, request(), false); i != 1 {
			got[list[i]]++
			continue
		}
		got[rest[p.Choose(rest, request(), true)]]++
	}
	require.Equal(t, map[*balance.Node]int{list[0]: 300, list[2]: 300}, got)
}

// Over any period in phase each node is chosen exactly by its weight, and no
// node waits much longer than its share says.
func TestWeightedIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ws := weights(t)
		p, list := policy(t, balance.Config{Policy: balance.Weighted}), nodes(ws...)
		total := 0
		for _, w := range ws {
			total += w
		}
		for range 3 {
			got := make([]int, len(ws))
			for turn := range total {
				got[p.Choose(list, nil, false)]++
				for i, w := range ws {
					fair := float64(w) * float64(turn+1) / float64(total)
					require.InDelta(t, fair, got[i], float64(len(ws)), "spread over the period")
				}
			}
			require.Equal(t, ws, got)
		}
	})
}

func TestLeastConnections(t *testing.T) {
	p, list := policy(t, balance.Config{Policy: balance.Least}), nodes(1, 2, 1)
	got := make([]int, 3)
	for range 40 { // nothing ends
		i := p.Choose(list, nil, false)
		list[i].Begin()
		got[i]++
	}
	require.Equal(t, []int{10, 20, 10}, got)
	for range 5 {
		list[2].End()
	}
	for range 4 {
		i := p.Choose(list, nil, false)
		require.Equal(t, 2, i)
		list[i].Begin()
	}
	require.Equal(t, 9, list[2].Load())
}

// Of any two nodes the lighter is taken, so the busiest of all never is.
func TestTwoChoicesAvoidTheBusiest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "n")
		p, list := policy(t, balance.Config{Policy: balance.TwoChoices}), nodes(slices.Repeat([]int{1}, n)...)
		busy := rapid.IntRange(0, n-1).Draw(t, "busy")
		list[busy].Begin()
		for range 100 {
			require.NotEqual(t, busy, p.Choose(list, nil, false))
		}
	})
	require.Zero(t, policy(t, balance.Config{Policy: balance.TwoChoices}).Choose(nodes(1), nil, false))
}

func TestTwoChoicesReachEveryNode(t *testing.T) {
	p, list := policy(t, balance.Config{Policy: balance.TwoChoices}), nodes(1, 1, 1, 1)
	got := make([]int, 4)
	for range 4000 {
		got[p.Choose(list, nil, false)]++
	}
	for _, n := range got { // a node missing a quarter of its share is 10 deviations away
		require.Greater(t, n, 750)
	}
}

func TestUnknownPolicy(t *testing.T) {
	_, err := balance.New(balance.Config{Policy: "fair"})
	require.EqualError(t, err, `balance policy "fair": want one of hash, least-connections, p2c, round-robin, sticky, weighted`)
	_, err = balance.New(balance.Config{Policy: balance.Sticky})
	require.ErrorIs(t, err, balance.ErrCookieName)
	for _, name := range balance.Policies() {
		policy(t, balance.Config{Policy: name, Cookie: balance.Cookie{Name: "c"}})
	}
}

func all() map[string]balance.Config {
	configs := map[string]balance.Config{}
	for _, name := range balance.Policies() {
		configs[name] = balance.Config{Policy: name, Epsilon: 0.25, Cookie: balance.Cookie{Name: "c"}}
	}
	k, _ := balance.ParseKey("cookie:sid")
	configs["hash by cookie"] = balance.Config{Policy: balance.Hash, Key: k}
	return configs
}

func TestChoosingAllocatesNothing(t *testing.T) {
	list, r := nodes(1, 2, 3, 4), request("Cookie", "a=b; sid=7; c="+strings.Repeat("0", 32))
	for name, cfg := range all() {
		p := policy(t, cfg)
		require.Zero(t, testing.AllocsPerRun(100, func() { p.Choose(list, r, false) }), name)
	}
}

func BenchmarkChoose(b *testing.B) {
	list, r := nodes(1, 2, 3, 4, 1, 2, 3, 4), request("Cookie", "sid=7")
	for name, cfg := range all() {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			p := policy(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				p.Choose(list, r, false)
			}
		})
	}
}
