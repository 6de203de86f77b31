package balance_test

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gauntlet/proxy/upstream/balance"
)

func hash(t require.TestingT, by string, epsilon float64) balance.Policy {
	return policy(t, balance.Config{Policy: balance.Hash, Key: key(t, by), Epsilon: epsilon})
}

func users(n int) []*http.Request {
	list := make([]*http.Request, n)
	for i := range list {
		list[i] = request("X-User", fmt.Sprint("user-", i))
	}
	return list
}

// When a node leaves, its keys move and no others do; and it had about its
// share of them.
func TestHashMovesOnlyTheKeysOfTheLeaver(t *testing.T) {
	keys := users(2000)
	rapid.Check(t, func(t *rapid.T) {
		ws := rapid.SliceOfN(rapid.IntRange(1, 4), 2, 8).Draw(t, "weights")
		p, list := hash(t, "header:x-user", 0), nodes(ws...)
		leaver := rapid.IntRange(0, len(ws)-1).Draw(t, "leaver")
		rest := slices.Delete(slices.Clone(list), leaver, leaver+1)
		moved, total := 0, 0
		for _, w := range ws {
			total += w
		}
		for _, r := range keys {
			before, after := list[p.Choose(list, r, false)], rest[p.Choose(rest, r, false)]
			if before == list[leaver] {
				moved++
				continue
			}
			require.Same(t, before, after)
		}
		share := float64(ws[leaver]) / float64(total)
		deviation := math.Sqrt(share * (1 - share) * float64(len(keys)))
		require.InDelta(t, share*float64(len(keys)), moved, 8*deviation)
	})
}

// No node gets above its share times 1+ε, rounded up, however uneven the keys
// are; a key whose node has room stays there.
func TestHashBoundsLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ws := weights(t)
		epsilon := rapid.Float64Range(0.05, 1).Draw(t, "epsilon")
		p, list := hash(t, "header:X-User", epsilon), nodes(ws...)
		home := hash(t, "header:X-User", 0)
		total := 0
		for _, w := range ws {
			total += w
		}
		hot, load := users(3), 0
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 100).Draw(t, "steps") { // which user; whether it ends
			r := hot[step%3]
			limit := func(i int) int {
				return int(math.Ceil((1 + epsilon) * float64(load+1) / float64(total) * float64(ws[i])))
			}
			i, at := p.Choose(list, r, false), home.Choose(list, r, false)
			if list[at].Load() < limit(at) {
				require.Equal(t, at, i, "there was room")
			}
			list[i].Begin()
			require.LessOrEqual(t, list[i].Load(), limit(i))
			if load++; step > 2 {
				list[i].End()
				load--
			}
		}
	})
}

func TestHashKeys(t *testing.T) {
	with := func(edit func(*http.Request)) *http.Request {
		r := request("X-User", "7", "Cookie", `a=1; sid="42"; sidx=3`, "Cookie", "b=2")
		r.RemoteAddr = "192.0.2.1:1234"
		if edit != nil {
			edit(r)
		}
		return r
	}
	for by, want := range map[string]string{
		"header:x-user": "7", "header:host": "x", "cookie:sid": "42", "cookie:b": "2", "client": "192.0.2.1", "path": "/path",
	} {
		got, ok := key(t, by).Of(with(nil))
		require.True(t, ok, by)
		require.Equal(t, want, got, by)
	}
	opaque := with(func(r *http.Request) { r.URL.Opaque = "/raw%2Fpath?q" })
	got, _ := key(t, "path").Of(opaque)
	require.Equal(t, "/raw%2Fpath", got)
	for _, by := range []string{"header:X-None", "cookie:none", "client"} {
		_, ok := key(t, by).Of(with(func(r *http.Request) { r.RemoteAddr = "" }))
		require.False(t, ok, by)
	}
	for _, bad := range []string{"", "header", "header:", "cookie:", "client:x", "body"} {
		_, ok := balance.ParseKey(bad)
		require.False(t, ok, bad)
	}
}

// Requests without the key take turns.
func TestHashWithoutKey(t *testing.T) {
	p, list := hash(t, "cookie:sid", 0), nodes(1, 1, 1)
	got := make([]int, 3)
	for range 9 {
		got[p.Choose(list, request(), false)]++
	}
	require.Equal(t, []int{3, 3, 3}, got)
}
