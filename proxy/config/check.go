package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// A checker collects what Validate finds.
type checker struct{ problems []Problem }

func (k *checker) add(path, got, want string) {
	k.problems = append(k.problems, Problem{Path: path, Got: got, Want: want})
}

// duration accepts d from low to high.
func duration(k *checker, path string, d, low, high time.Duration) {
	if d < low || d > high {
		k.add(path, d.String(), fmt.Sprintf("%s to %s", short(low), short(high)))
	}
}

// short writes a duration without its zero parts: 1h, not 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// number accepts n from low to high.
func number[N int | float64 | Size](k *checker, path string, n, low, high N) {
	if !(n >= low && n <= high) {
		k.add(path, fmt.Sprint(n), fmt.Sprintf("%v to %v", low, high))
	}
}

// address accepts host:port with a numeric port of at least minPort.
func (k *checker) address(path, addr string, minPort int) {
	host, port, err := net.SplitHostPort(addr)
	n, perr := strconv.Atoi(port)
	if err != nil || host == "" || strings.ContainsAny(host, " /@") || perr != nil || n < minPort || n > 65535 {
		k.add(path, quote(addr), fmt.Sprintf("host:port with a port from %d to 65535", minPort))
	}
}

// isToken reports whether s is a field name (RFC 9110 §5.6.2).
func isToken(s string) bool {
	const marks = "!#$%&'*+-.^_`|~"
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(marks, r))
	})
}

// isHostPattern reports whether s is empty, a host, or "*." and a host. IPv6
// addresses come in brackets, as in a Host field.
func isHostPattern(s string) bool {
	if s == "" {
		return true
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		ip := net.ParseIP(strings.TrimSuffix(inner, "]"))
		return strings.HasSuffix(inner, "]") && ip != nil
	}
	s = strings.TrimPrefix(s, "*.")
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool { return !isNameByte(r) }) {
			return false
		}
	}
	return true
}

// notInPath reports bytes that cannot stand in the path of a request target.
func notInPath(r rune) bool { return r == '?' || r == '#' || r <= ' ' || r == 0x7f }
