package telemetry

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
)

const (
	someTrace = "0123456789abcdef0123456789abcdef"
	someSpan  = "fedcba9876543210"
)

// TestTraceContext: what a request brings, and what of it travels on (W3C Trace
// Context, Level 2).
func TestTraceContext(t *testing.T) {
	with := func(version, flags, rest string) []string {
		return []string{version + "-" + someTrace + "-" + someSpan + "-" + flags + rest}
	}
	many := make([]string, 33)
	for i := range many {
		many[i] = "k" + strings.Repeat("x", i) + "=1"
	}
	for name, c := range map[string]struct {
		parent, state []string
		flags         string // "": a new trace
		sent          string // tracestate
	}{
		"none":                      {nil, nil, "", ""},
		"state alone":               {nil, []string{"a=b"}, "", ""},
		"sampled":                   {with("00", "01", ""), []string{"a=b"}, "01", "a=b"},
		"not sampled":               {with("00", "00", ""), nil, "00", ""},
		"random":                    {with("00", "03", ""), nil, "03", ""},
		"unknown flags are cleared": {with("00", "ff", ""), nil, "03", ""},
		"later version":             {with("cc", "01", "-what-comes"), []string{"a=b"}, "01", "a=b"},
		"later version, no more":    {with("cc", "01", ""), nil, "01", ""},
		"later version, run on":     {with("cc", "01", "x"), nil, "", ""},
		"version ff":                {with("ff", "01", ""), nil, "", ""},
		"version 00 with more":      {with("00", "01", "-x"), nil, "", ""},
		"upper case":                {[]string{strings.ToUpper(with("00", "01", "")[0])}, []string{"a=b"}, "", ""},
		"not hex":                   {[]string{"00-" + strings.Repeat("g", 32) + "-" + someSpan + "-01"}, nil, "", ""},
		"trace id of zeros":         {[]string{"00-" + strings.Repeat("0", 32) + "-" + someSpan + "-01"}, []string{"a=b"}, "", ""},
		"span id of zeros":          {[]string{"00-" + someTrace + "-" + strings.Repeat("0", 16) + "-01"}, nil, "", ""},
		"short":                     {[]string{"00-" + someTrace + "-" + someSpan}, nil, "", ""},
		"other marks":               {[]string{"00." + someTrace + "." + someSpan + ".01"}, nil, "", ""},
		"empty":                     {[]string{""}, nil, "", ""},
		"twice":                     {append(with("00", "01", ""), with("00", "01", "")...), nil, "", ""},
		"state in several fields":   {with("00", "01", ""), []string{"a=b", "c=d,e=f"}, "01", "a=b,c=d,e=f"},
		"state with blanks":         {with("00", "01", ""), []string{"a=b , c=d"}, "01", "a=b,c=d"},
		"state with empty members":  {with("00", "01", ""), []string{"a=b,,c=d,"}, "01", "a=b,c=d"},
		"malformed state":           {with("00", "01", ""), []string{"a=b,nonsense"}, "01", ""},
		"state says one twice":      {with("00", "01", ""), []string{"a=b,a=c"}, "01", ""},
		"state of 33 members":       {with("00", "01", ""), []string{strings.Join(many, ",")}, "01", ""},
		"state of 32 members":       {with("00", "01", ""), []string{strings.Join(many[:32], ",")}, "01", strings.Join(many[:32], ",")},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if c.parent != nil {
				h[headerParent] = c.parent
			}
			if c.state != nil {
				h[headerState] = c.state
			}
			parent := extract(h)
			sc := child(parent)
			inject(h, sc)
			require.Len(t, h[headerParent], 1)
			got := h.Get(headerParent)
			require.Len(t, got, parentLength)
			require.Equal(t, c.sent, h.Get(headerState))
			if c.flags == "" {
				require.False(t, parent.IsValid())
				require.NotContains(t, got, someTrace)
				require.True(t, strings.HasSuffix(got, "-00"))
				return
			}
			require.True(t, parent.IsRemote())
			require.Equal(t, "00-"+someTrace+"-"+sc.SpanID().String()+"-"+c.flags, got)
			require.NotEqual(t, someSpan, sc.SpanID().String())
		})
	}
}

// What we send is what we would take.
func FuzzTraceContext(f *testing.F) {
	f.Add("00-"+someTrace+"-"+someSpan+"-01", "a=b,c=d")
	f.Add("cc-"+someTrace+"-"+someSpan+"-ff-x", "a@b=c")
	f.Fuzz(func(t *testing.T, parent, state string) {
		h := http.Header{headerParent: {parent}, headerState: {state}}
		first := extract(h)
		inject(h, child(first))
		second := extract(h)
		require.True(t, second.IsValid())
		if first.IsValid() {
			require.Equal(t, first.TraceID(), second.TraceID())
			require.Equal(t, first.TraceState().String(), second.TraceState().String())
			require.Equal(t, first.TraceFlags()&trace.FlagsSampled, second.TraceFlags()&trace.FlagsSampled)
		}
	})
}
