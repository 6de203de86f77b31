package render

import (
	"regexp"
	"strings"
)

// A ref is a source a scenario comes from, with where to read it.
type ref struct{ Text, URL string }

// refOf finds the address of "RFC 9110 §9.2.2", "owner/name#123" or a URL;
// other texts stand for themselves.
func refOf(text string) ref {
	rfc := regexp.MustCompile(`^RFC ?(\d+)(?: ?§ ?([0-9A-Z.]*[0-9A-Z]))?$`)
	issue := regexp.MustCompile(`^([\w.-]+/[\w.-]+)#(\d+)$`)
	switch {
	case rfc.MatchString(text):
		m := rfc.FindStringSubmatch(text)
		url := "https://www.rfc-editor.org/rfc/rfc" + m[1]
		if m[2] != "" {
			url += "#section-" + m[2]
		}
		return ref{text, url}
	case issue.MatchString(text):
		m := issue.FindStringSubmatch(text)
		return ref{text, "https://github.com/" + m[1] + "/issues/" + m[2]}
	case strings.HasPrefix(text, "https://"):
		return ref{text, text}
	}
	return ref{Text: text}
}
