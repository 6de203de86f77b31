package wire_test

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// What each answer sets, the requests after it bring back; one that the script
// gives cookies of its own brings those.
func TestAClientKeepsItsCookies(t *testing.T) {
	sets := []string{
		"Set-Cookie: a=1; Path=/\r\nset-cookie: b=x=y; HttpOnly\r\nSet-Cookie: no pair\r\n",
		"Set-Cookie: a=2\r\nSet-Cookie: b=; max-age=0\r\n",
		"Set-Cookie: unknown=1; Max-Age=-1\r\n",
	}
	many := ""
	for i := range 100 {
		many += "Set-Cookie: n" + strconv.Itoa(i) + "=1\r\n"
	}
	sets = append(sets, many)
	var mu sync.Mutex
	var brought []string
	cookie := regexp.MustCompile(`(?i)\r\ncookie: (.*)\r\n`)
	addr := serve(t, requests(func(n int, head string) string {
		mu.Lock()
		defer mu.Unlock()
		found := cookie.FindStringSubmatch(head)
		brought = append(brought, strings.Join(found[min(1, len(found)):], ""))
		if n > len(sets) {
			return generated(uint64(n), 7)
		}
		return strings.Replace(generated(uint64(n), 7), "\r\n", "\r\n"+sets[n-1], 1)
	}))
	_, book := play(t, config(t, addr, `
- cookies: true
  do:
    - {send: {}}
    - receive
    - {send: {}}
    - receive
    - {send: {headers: {cookie: mine=1}}}
    - receive
    - {send: {}}
    - receive
    - {send: {}}
    - receive
`))
	require.Len(t, book, 5)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []string{"", "a=1; b=x=y", "mine=1", "a=2"}, brought[:4])
	require.Len(t, strings.Split(brought[4], "; "), 64, "what a client remembers is bounded")
}
