package rewrite_test

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"gauntlet/proxy/policy/rewrite"
)

// whole is what a rewritten body must be.
func whole(s string, replacements []rewrite.Replacement) string {
	for _, r := range replacements {
		s = strings.ReplaceAll(s, r.Find, r.With)
	}
	return s
}

// TestAnyCutsGiveTheSame: however the upstream's blocks fall, whatever is held
// back and however the client's side reads, the result is that of replacing in
// the whole; and each read ends with a whole rune.
func TestAnyCutsGiveTheSame(t *testing.T) {
	alphabet := []string{"a", "b", "ab", "ä", "世", "𝄞", "\n"}
	random := rand.New(rand.NewPCG(1, 2))
	text := func(most int) string {
		var b strings.Builder
		for range random.IntN(most + 1) {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	for range 2000 {
		cfg := rewrite.Config{Types: []string{"*/*"}, MaxBuffer: random.IntN(200)}
		for range 1 + random.IntN(3) {
			cfg.Body = append(cfg.Body, rewrite.Replacement{Find: text(4) + "a", With: text(5)})
		}
		given := text(120)
		src := &pieces{end: io.EOF}
		for rest := given; rest != ""; {
			n := min(1+random.IntN(9), len(rest))
			src.left, rest = append(src.left, rest[:n]), rest[n:]
		}
		resp := ask(t, cfg, "GET", html(src))
		want := whole(given, cfg.Body)
		if resp.ContentLength >= 0 {
			require.Len(t, want, int(resp.ContentLength))
		} else {
			require.Greater(t, len(want), cfg.MaxBuffer)
		}
		var got strings.Builder
		for {
			p := make([]byte, utf8.UTFMax+random.IntN(40))
			n, err := resp.Body.Read(p)
			require.True(t, utf8.Valid(p[:n]), "%q", p[:n])
			got.Write(p[:n])
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
		}
		require.Equal(t, want, got.String(), "%q with %q", given, cfg.Body)
	}
}

// TestLongBodies crosses the windows of the replacements and of the buffer.
func TestLongBodies(t *testing.T) {
	given := strings.Repeat("<a href=http://internal/>世界</a>\n", 10_000)
	for _, most := range []int{0, 1, 8 << 10, 1 << 20} {
		cfg := internal(most)
		cfg.Body = append(cfg.Body, rewrite.Replacement{Find: "世", With: strings.Repeat("界", 20)}, rewrite.Replacement{Find: "\n"})
		require.Equal(t, whole(given, cfg.Body), all(t, ask(t, cfg, "GET", html(split(given)))))
	}
}

// What is not UTF-8 passes as it came.
func TestInvalidTextIsNotSpoiled(t *testing.T) {
	given := "\xffinternal\xe4\xb8|\xe4\xb8internal\xf0\x9f"
	for _, most := range []int{0, 100} {
		require.Equal(t, "\xffexample\xe4\xb8|\xe4\xb8example\xf0\x9f", all(t, ask(t, internal(most), "GET", html(split(given)))))
	}
}

// FuzzReplace looks for a body and a cut that give another result.
func FuzzReplace(f *testing.F) {
	f.Add("aaab|aab", "aab", "x", 0)
	f.Add("ä|ö", "ä|", "", 3)
	f.Fuzz(func(t *testing.T, given, find, with string, most int) {
		if find == "" || most < 0 || most > 1<<20 {
			return
		}
		cfg := rewrite.Config{Types: []string{"*/*"}, MaxBuffer: most, Body: []rewrite.Replacement{{Find: find, With: with}}}
		require.Equal(t, strings.ReplaceAll(given, find, with), all(t, ask(t, cfg, "GET", html(split(given)))))
	})
}
