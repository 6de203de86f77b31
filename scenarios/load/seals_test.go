package load_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/http1"
	"gauntlet/fixtures/seal"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/wire"
)

const sealing = "{name: mix, rate: 50/s, for: 100ms, mix: {fields: {count: 2, cookies: 3}, body: {size: 10}, method: PUT}}"

// What came on the way is held against the seals, by the load's client here.
func TestAnAnswerThatIsNotAsItWasSealed(t *testing.T) {
	sealed := seal.Of(&seal.Message{Status: 206, Fields: []http1.Field{{Name: "X-A", Value: "1"}}})
	target := serve(t, func(string) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n" + seal.Header + ": " + sealed + "\r\n\r\nok"
	})
	res, _ := attackAs(t, load.Config{Target: wire.Target{Address: target}, Load: read(t, sealing)})
	require.EqualValues(t, 5, res.Sent)
	require.EqualValues(t, 5, res.Sealed)
	require.Len(t, res.Mismatches, 5)
	m := res.Mismatches[0]
	require.NotZero(t, m.Exchange)
	m.Exchange = 0
	require.Equal(t, wire.Mismatch{Client: "mix", Step: "sealed status", Want: "206", Got: "200"}, m)
}

// A mix seals its requests, over all that a proxy has to pass on; a target that
// is to change the path is not asked.
func TestAMixSealsItsRequests(t *testing.T) {
	for prefix, want := range map[string]bool{"": true, "/api": false} {
		heads := make(chan string, 5)
		target := serve(t, func(head string) string {
			heads <- head
			return plain
		})
		res, _ := attackAs(t, load.Config{Target: wire.Target{Address: target, Prefix: prefix}, Load: read(t, sealing)})
		require.EqualValues(t, 5, res.Sent)
		require.Zero(t, res.Sealed, "the answers had none")
		head := <-heads
		require.Equal(t, want, strings.Contains(head, seal.Header+": method=PUT target=/ field=cookie:"), head)
	}
}
