package router

import "strings"

// parameter returns the raw value of the first parameter of that name in a raw
// query.
func parameter(query, name string) (string, bool) {
	for len(query) > 0 {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if decodesTo(key, name) {
			return value, true
		}
	}
	return "", false
}

// decodesTo reports whether raw means text.
func decodesTo(raw, text string) bool {
	for len(raw) > 0 {
		c, n := next(raw)
		if text == "" || text[0] != c {
			return false
		}
		raw, text = raw[n:], text[1:]
	}
	return text == ""
}

// next decodes the first byte of a raw query and says how much of it that was.
// An escape that is none stands for itself.
func next(raw string) (byte, int) {
	switch raw[0] {
	case '+':
		return ' ', 1
	case '%':
		if len(raw) >= 3 {
			high, ok := nibble(raw[1])
			low, ok2 := nibble(raw[2])
			if ok && ok2 {
				return high<<4 | low, 3
			}
		}
	}
	return raw[0], 1
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// hash is FNV-1a, fed with one value after the other. Routes are compared
// after it, so what two values share by chance costs time and nothing else.
type hash uint64

const (
	offset hash = 0xcbf29ce484222325
	prime  hash = 0x100000001b3
)

func (h hash) add(c byte) hash { return (h ^ hash(c)) * prime }

func (h hash) text(s string) hash {
	for i := range len(s) {
		h = h.add(s[i])
	}
	return h.add(0xff)
}

func (h hash) decoded(raw string) hash {
	for len(raw) > 0 {
		c, n := next(raw)
		h, raw = h.add(c), raw[n:]
	}
	return h.add(0xff)
}
