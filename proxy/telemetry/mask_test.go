package telemetry

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMask(t *testing.T) {
	k, err := newMasker(Mask{
		Headers: []string{"x-api-key"}, Query: []string{"Token", "a b"},
		Patterns: []string{PatternPhone, PatternEmail, `sk-[a-z0-9]+`},
	})
	require.NoError(t, err)
	for given, want := range map[string]string{
		"":                                "",
		"nothing of note":                 "nothing of note",
		"call 13812345678 now":            "call 138****5678 now",
		"138123456789":                    "138123456789", // of 12 digits: no phone
		"user@ex.com":                     "u***@ex.com",
		"/u/first.last+tag@mail.ex.co.uk": "/u/f***@mail.ex.co.uk",
		"a@b":                             "a@b",
		"key sk-abc123.":                  "key ***.",
	} {
		require.Equal(t, want, k.text(given), given)
	}
	require.Equal(t, "***", k.header("X-Api-Key", "secret"))
	require.Equal(t, "u***@ex.com", k.header("X-User", "user@ex.com"))
	for given, want := range map[string]string{
		"":                           "",
		"token=1&x=2":                "token=***&x=2",
		"TOKEN=1":                    "TOKEN=***",
		"%74oken=1":                  "%74oken=***",
		"a+b=1&a%20b=2":              "a+b=***&a%20b=***",
		"token&x":                    "token&x",
		"token=1=2&&=3":              "token=***&&=3",
		"m=user%40ex.com&p=a%20b":    "m=u***@ex.com&p=a%20b",
		"%zz=user@ex.com":            "%zz=u***@ex.com",
		"138%31%32345678=1;token=no": "138%31%32345678=1;token=no",
	} {
		require.Equal(t, want, k.parameters(given), given)
	}
	// A secret that the cut of a line goes through is not shown in part.
	long := strings.Repeat("x", maxPath-3) + " user@ex.com"
	require.NotContains(t, clip(k.text(long)), "us")

	for _, c := range []struct {
		value slog.Value
		want  string
	}{
		{slog.StringValue("user@ex.com"), "u***@ex.com"},
		{slog.AnyValue(errors.New("no user@ex.com")), "no u***@ex.com"},
		{slog.AnyValue([]string{"user@ex.com"}), "[u***@ex.com]"},
		{slog.GroupValue(slog.String("a", "user@ex.com")), "[a=u***@ex.com]"},
		{slog.IntValue(13812345678), "13812345678"},
	} {
		require.Equal(t, c.want, k.attr(slog.Attr{Key: "k", Value: c.value}).Value.String())
	}
	_, err = newMasker(Mask{Patterns: []string{"("}})
	require.Error(t, err)
}

// Whatever stands before a parameter that is masked, its value is not seen.
func FuzzMaskedParameters(f *testing.F) {
	f.Add("a=1&b", "x")
	f.Add("%", "=&")
	k, _ := newMasker(Mask{Query: []string{"token"}})
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "s3cr3t-s3cr3t"
		got := k.parameters(before + "&token=" + secret + "&" + after)
		if !strings.Contains(before+after, secret) {
			require.NotContains(t, got, secret)
		}
		require.Equal(t, strings.Count(before+"&token=&"+after, "&"), strings.Count(got, "&"))
	})
}
