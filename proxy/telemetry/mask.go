package telemetry

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Mask says what must not be read in logs and spans.
type Mask struct {
	// Headers are masked as a whole where they are logged.
	Headers []string
	// Query are parameters whose values are masked, whatever their case.
	Query []string
	// Patterns are masked wherever text of a client or an upstream is logged:
	// PatternPhone, PatternEmail, or a regular expression (RE2) of what is
	// replaced by ***.
	Patterns []string
}

// The patterns that have names. They leave enough to recognise what one knows.
const (
	PatternPhone = "phone" // of 11 digits: 138****5678
	PatternEmail = "email" // u***@ex.com
)

const masked = "***"

// masker hides what a Mask names. The zero masker hides nothing.
type masker struct {
	headers, query map[string]bool
	patterns       []pattern
}

type pattern struct {
	find *regexp.Regexp
	with string
}

func newMasker(m Mask) (*masker, error) {
	k := &masker{headers: map[string]bool{}, query: map[string]bool{}}
	for _, h := range m.Headers {
		k.headers[http.CanonicalHeaderKey(h)] = true
	}
	for _, q := range m.Query {
		k.query[strings.ToLower(q)] = true
	}
	for _, p := range m.Patterns {
		expr, with := p, masked
		switch p {
		case PatternPhone:
			expr, with = `\b(\d{3})\d{4}(\d{4})\b`, "$1****$2"
		case PatternEmail:
			expr, with = `([\w.%+-])[\w.%+-]*@([A-Za-z0-9.-]+\.[A-Za-z]{2,})`, "$1***@$2"
		}
		find, err := regexp.Compile(expr)
		if err != nil {
			return nil, fmt.Errorf("mask pattern: %w", err)
		}
		k.patterns = append(k.patterns, pattern{find, with})
	}
	return k, nil
}

// text hides what patterns find. It looks at what may be shown and some more,
// so that a secret on the edge is found before it is cut.
func (k *masker) text(s string) string {
	if len(k.patterns) == 0 {
		return s
	}
	s = s[:min(len(s), 4*maxPath)]
	for _, p := range k.patterns {
		s = p.find.ReplaceAllString(s, p.with)
	}
	return s
}

// header hides the value of a field, whose name is canonical.
func (k *masker) header(name, value string) string {
	if k.headers[name] {
		return masked
	}
	return k.text(value)
}

// parameters hides values in a raw query.
func (k *masker) parameters(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, given := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		switch {
		case !given:
			pairs[i] = k.text(name)
		case k.query[strings.ToLower(plain)]:
			pairs[i] = name + "=" + masked
		default:
			if decoded, err := url.QueryUnescape(value); err == nil && k.text(decoded) != decoded {
				value = k.text(decoded) // else a % would hide what it encodes
			}
			pairs[i] = name + "=" + value
		}
	}
	return strings.Join(pairs, "&")
}
