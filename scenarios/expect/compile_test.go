package expect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/scenarios/expect"
)

func TestATypoIsFoundBeforeAnythingRuns(t *testing.T) {
	for that, want := range map[string]expect.Problem{
		`ledger.losst == 0`:                               {Line: 1, Column: 7, Text: "undefined field 'losst'"},
		`legder.lost == 0`:                                {Line: 1, Column: 1, Text: "undeclared reference to 'legder' (did you mean 'ledger'?)"},
		`elephant > 1`:                                    {Line: 1, Column: 1, Text: "undeclared reference to 'elephant'"},
		`exchange("three").status == 200`:                 {Line: 1, Column: 10, Text: `no exchange is named "three"; allowed: one, two`},
		`exchange(method).status == 200`:                  {Line: 1, Column: 10, Text: "exchange(…) takes the name itself, in quotes"},
		`attempts("x").size() == 1`:                       {Line: 1, Column: 10, Text: `no exchange is named "x"; allowed: one, two`},
		`backend.sightings("x") == 1`:                     {Line: 1, Column: 19, Text: `no exchange is named "x"; allowed: one, two`},
		`from("outrage") < until("outage")`:               {Line: 1, Column: 6, Text: `no window is named "outrage"; allowed: outage`},
		`first_success_after("x") > from("outage")`:       {Line: 1, Column: 21, Text: `no window is named "x"; allowed: outage`},
		`load("stead").sent == 1`:                         {Line: 1, Column: 6, Text: `no load is named "stead"; allowed: steady`},
		`setting("m") == 1`:                               {Line: 1, Column: 9, Text: `no setting is named "m"; allowed: see gauntlet list settings`},
		`setting(method) == 1`:                            {Line: 1, Column: 9, Text: `setting(…) takes the name itself, as in setting("upstream.retries")`},
		`setting("n") + duration("1s") > duration("2s")`:  {Line: 1, Column: 14, Text: "found no matching overload for '_+_' applied to '(int, duration)'"},
		`backend(3).requests == 0`:                        {Line: 1, Column: 9, Text: "no backend 3; allowed: 1 to 2"},
		`backend(0).requests == 0`:                        {Line: 1, Column: 9, Text: "no backend 0; allowed: 1 to 2"},
		`target.settled(from("outage")).rss == 0`:         {Line: 1, Column: 20, Text: `settled(…) takes a fixed time, as in settled(duration("3s"))`},
		`cut.nome == "head"`:                              {Line: 1, Column: 4, Text: "undefined field 'nome'"},
		`exchange("one").client.endde == "clean"`:         {Line: 1, Column: 23, Text: "undefined field 'endde'"},
		`attempts("one").exists(a, a.fase == "x")`:        {Line: 1, Column: 28, Text: "undefined field 'fase'"},
		`exchange("one").status = 200`:                    {Line: 1, Column: 24, Text: "Syntax error: token recognition error at: '= '"},
		`exchange("one").status`:                          {Text: "the expression is of type int; allowed: bool"},
		`ledger.lost == "0"`:                              {Line: 1, Column: 13, Text: "found no matching overload for '_==_' applied to '(int, string)'"},
		` `:                                               {Text: "found nothing; allowed: an expression, or invariants"},
		`ledger.sent == 1 &&` + "\n" + ` ledger.lst == 0`: {Line: 2, Column: 8, Text: "undefined field 'lst'"},
	} {
		t.Run(that, func(t *testing.T) {
			_, problems := expect.Compile(scope, expect.Must, []expect.Expectation{{That: "ledger.lost == 0"}, {That: that}})
			require.NotEmpty(t, problems)
			want.Index, want.Field = 1, "that"
			require.Equal(t, want, problems[0])
		})
	}
}

func TestALongOrDeepExpressionIsRefused(t *testing.T) {
	for _, that := range []string{"ledger.lost == 0 || " + strings.Repeat(" ", 5000) + "true", strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500)} {
		p, problems := expect.Compile(scope, expect.Must, []expect.Expectation{{That: that}})
		require.Nil(t, p)
		require.NotEmpty(t, problems)
	}
}

func TestLevelsAndNeedsMustBeKnown(t *testing.T) {
	_, problems := expect.Compile(scope, expect.Must, []expect.Expectation{{That: "invariants", Level: "shall", Needs: expect.Needs{"traces", "luck"}}})
	require.Equal(t, []expect.Problem{
		{Field: "level", Text: `found "shall"; allowed: must, should, may`},
		{Field: "needs", Text: `found "luck"; allowed: backend, metrics, process, traces`},
	}, problems)
}

func TestAProgramSaysWhatItNeeds(t *testing.T) {
	p := compile(t, expect.Expectation{That: `target.settled(duration("4s")).rss < target.settled(duration("2s")).rss`}, expect.Expectation{That: `method == "POST"`})
	require.Equal(t, 2, p.Len())
	require.Equal(t, 4*time.Second, p.Settle())
	require.True(t, p.Mentions("method"))
	require.False(t, p.Mentions("count"))
	require.Equal(t, 3*time.Second, compile(t, expect.Expectation{That: expect.Invariants}).Settle())
	require.Zero(t, compile(t).Settle())
}

func FuzzCompile(f *testing.F) {
	for _, c := range functions {
		f.Add(c.holds)
	}
	f.Add(`setting(setting("n"))`)
	f.Add(`backend(1).requests_on(exchange("one"))`)
	f.Fuzz(func(t *testing.T, that string) {
		p, problems := expect.Compile(scope, expect.Must, []expect.Expectation{{That: that}})
		require.NotEqual(t, p == nil, len(problems) == 0)
		if p == nil {
			return
		}
		s := newScene()
		two(s)
		require.True(t, expect.Judge(p, s.facts(t))[0].Verdict.Known())
	})
}
