package conform

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gauntlet/fixtures/exchange"
)

// Front stands in raw bytes for the field lines by which a backend knows the
// exchange and the row. They go first, so that one which reads no further than
// to what it refuses has read them.
const Front = "${front}"

// Header names the row of a request.
const Header = "X-Gauntlet-Check"

// fill stands for as many letters, or field lines, as it says.
var fill = regexp.MustCompile(`\$\{(?:(fill):([0-9]{1,6})|(lines):([0-9]{1,4}))\}`)

// Placeholder reports whether ${name} is one of those that rows know: front,
// fill:N for N letters, lines:N for N field lines; N below a million and ten
// thousand.
func Placeholder(name string) bool {
	text := "${" + name + "}"
	return text == Front || fill.FindString(text) == text
}

// filled puts in what the placeholders of a row stand for.
func (r *Row) filled(text string) string {
	text = strings.ReplaceAll(text, Front, exchange.Header+": ${id}\r\n"+Header+": "+r.Name+"\r\n")
	return fill.ReplaceAllStringFunc(text, func(found string) string {
		m := fill.FindStringSubmatch(found)
		n, _ := strconv.Atoi(m[2] + m[4]) // digits, by the expression
		if m[1] != "" {
			return strings.Repeat("a", n)
		}
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "X-Line-%d: v\r\n", i+1)
		}
		return b.String()
	})
}
