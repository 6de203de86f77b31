package audit

import (
	"bytes"
	"encoding/json"
)

// members calls visit for each member of the JSON object in line: a string
// without its quotes, or any other value as it stands. It makes no values of
// what nobody asks about, which reading a hundred thousand lines would pay for,
// and reports whether line is such an object. What it visited of one that is
// not must be forgotten.
func members(line []byte, visit func(key, value []byte)) bool {
	line = bytes.TrimSpace(line)
	if len(line) < 2 || line[0] != '{' {
		return false
	}
	rest := space(line[1:])
	if len(rest) == 1 && rest[0] == '}' {
		return true
	}
	for {
		key, after, ok := text(rest)
		if !ok {
			return false
		}
		if rest = space(after); len(rest) == 0 || rest[0] != ':' {
			return false
		}
		rest = space(rest[1:])
		value, after, ok := one(rest)
		if !ok {
			return false
		}
		visit(key, value)
		switch rest = space(after); {
		case len(rest) == 1 && rest[0] == '}':
			return true
		case len(rest) == 0 || rest[0] != ',':
			return false
		}
		rest = space(rest[1:])
	}
}

func space(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// text reads a string and gives what it says.
func text(b []byte) (said, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	plain := true
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '"' && plain:
			return b[1:i], b[i+1:], true
		case b[i] == '"':
			var s string
			if json.Unmarshal(b[:i+1], &s) != nil {
				return nil, nil, false
			}
			return []byte(s), b[i+1:], true
		case b[i] == '\\':
			plain = false
			i++
		case b[i] < ' ':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// one reads a value. Of an object or a list it looks for the end only.
func one(b []byte) (value, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	if b[0] == '"' {
		return text(b)
	}
	depth := 0
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			_, after, ok := text(b[i:])
			if !ok {
				return nil, nil, false
			}
			i = len(b) - len(after)
			continue
		case '{', '[':
			depth++
		case '}', ']', ',':
			if depth == 0 {
				value = bytes.TrimRight(b[:i], " \t\r\n")
				return value, b[i:], len(value) > 0
			}
			if b[i] != ',' {
				depth--
			}
		}
		i++
	}
	return nil, nil, false
}
