package conform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/script"
	"gauntlet/scenarios/conform"
)

// TestRowsOfHTTP2 stand in one table with others, and the target has one port:
// all of its clients have TLS then, and none without such a row.
func TestRowsOfHTTP2(t *testing.T) {
	old := conform.Row{Name: "old", Send: &conform.Sent{Raw: "GET / HTTP/1.1\r\n${front}\r\n"}}
	head := script.Headers{{Name: "usual", Value: "POST"}, {Name: "front"}, {Name: "x-a", Value: "${fill:3}"}}
	framed := conform.Row{Name: "framed", Protocol: script.H2, Send: &conform.Sent{Step: &script.Send{Head: head}}}

	require.Nil(t, conform.Clients([]conform.Row{old})[0].TLS)
	for _, c := range conform.Clients([]conform.Row{old, framed}) {
		require.NotNil(t, c.TLS, c.Name)
	}
	require.Equal(t, script.Headers{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: "gauntlet"},
		{Name: ":path", Value: "/a"},
		{Name: "x-gauntlet-id", Value: "${id}"},
		{Name: "x-gauntlet-check", Value: "framed"},
		{Name: "x-a", Value: "aaa"},
	}, conform.Clients([]conform.Row{framed})[0].Do[0].Send.Head)
	require.Equal(t, "usual", head[0].Name, "the row stays as it was read")
}
