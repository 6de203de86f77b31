package audit_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/evidence"
)

func parse(t testing.TB, text string) *audit.Log {
	t.Helper()
	l, err := audit.ParseLog(strings.NewReader(text), run, evidence.Fields{})
	require.NoError(t, err)
	return l
}

func TestLogLinesOfManyKindsAreRead(t *testing.T) {
	id := exchange.ID{Run: run, Seq: 7}
	traceID := id.TraceID()
	ours, other := hex.EncodeToString(traceID[:]), strings.Repeat("ab", 16)
	whole := audit.Line{Seq: 7, Trace: traceID, Span: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, Traced: true, Status: 200, Method: "GET"}
	for name, c := range map[string]struct {
		line string
		want audit.Line
	}{
		"reference": {fmt.Sprintf(`{"level":"INFO","trace_id":%q,"span_id":"0102030405060708","x_gauntlet_id":%q,"method":"GET","status":200,"path":"/a\"b"}`, ours, id), whole},
		"spaced":    {fmt.Sprintf("{ \"status\" : 200 ,\t\"method\":\"GET\", \"traceId\": %q, \"spanId\":\"0102030405060708\" }", ours), whole},
		"escaped":   {fmt.Sprintf(`{"status":200,"m\u0065thod":"G\u0045T","trace_id":%q,"span_id":"0102030405060708"}`, ours), whole},
		"nested":    {fmt.Sprintf(`{"status":200,"method":"GET","x":{"status":500,"y":["}",{"a":"]"}]},"trace_id":%q,"span_id":"0102030405060708"}`, ours), whole},
		"nginx":     {fmt.Sprintf(`{"request_id":%q,"request_method":"HEAD","status":"404"}`, id), audit.Line{Seq: 7, Status: 404, Method: "HEAD"}},
		"haproxy":   {fmt.Sprintf(`{"id":%q,"method":"BREW","status_code":-1}`, id), audit.Line{Seq: 7, Status: -1, Method: "BREW"}},
		"failed":    {fmt.Sprintf(`{"id":%q,"error":"deadline","status":200}`, id), audit.Line{Seq: 7, Status: 200, Failed: true}},
		"cut":       {fmt.Sprintf(`{"id":%q,"aborted":true}`, id), audit.Line{Seq: 7, Failed: true}},
		"not":       {fmt.Sprintf(`{"id":%q,"aborted":false,"error":""}`, id), audit.Line{Seq: 7}},
		"probe":     {`{"status":200}`, audit.Line{Status: 200}},
		"two minds": {fmt.Sprintf(`{"id":%q,"trace_id":%q}`, id, other), audit.Line{Seq: 7, Trace: [16]byte(bytes.Repeat([]byte{0xab}, 16)), Traced: true}},
		"no trace":  {fmt.Sprintf(`{"id":%q,"trace_id":"00000000000000000000000000000000","span_id":"-"}`, id), audit.Line{Seq: 7}},
		"empty":     {`{}`, audit.Line{}},
	} {
		t.Run(name, func(t *testing.T) {
			l := parse(t, "\n"+c.line+"\r\n")
			require.Zero(t, l.Foreign)
			require.Equal(t, []audit.Line{c.want}, l.Lines)
			require.Equal(t, l, parse(t, c.line), "with and without an end of line")
		})
	}
}

func TestWhatIsNoLineIsForeign(t *testing.T) {
	for _, text := range []string{
		"GET / 200", "[1]", `{"status":200`, `{"status":}`, `{"status" 200}`, `{status:200}`, `{"a":"b}`, `{"a":1}x`, `{"a":1,}`, `{"a":[1}`, `"x"`, `{`, `{"a":"\x"}`,
	} {
		l := parse(t, text+"\n"+`{"status":200}`+"\n")
		require.Equal(t, 1, l.Foreign, text)
		require.Len(t, l.Lines, 1, text)
	}
	long := parse(t, `{"a":"`+strings.Repeat("x", 3<<20)+`"}`+"\n"+`{"status":200}`)
	require.Equal(t, 1, long.Foreign, "a line without end is not held")
	require.Len(t, long.Lines, 1)
	require.Len(t, parse(t, `{"a":"`+strings.Repeat("x", 200<<10)+`"}`).Lines, 1)
}

func FuzzParseLog(f *testing.F) {
	f.Add(`{"status":200,"error":"x","n":[1,{"a":"}"}]}`)
	f.Add(`{ "a" : "A" }`)
	f.Fuzz(func(t *testing.T, text string) {
		l := parse(t, text)
		if strings.ContainsAny(text, "\n") || len(strings.TrimSpace(text)) == 0 {
			return
		}
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &object) == nil && object != nil {
			require.Len(t, l.Lines, 1, "an object is a line")
		}
	})
}
