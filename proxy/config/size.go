package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// A Size is a number of bytes, written as "64KiB" or as a plain number.
type Size int64

var errSize = errors.New("not a size")

// units are the suffixes of a Size, largest first so that printing picks the
// largest that divides evenly.
var units = [...]struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// ParseSize reads a Size: a whole number, optionally followed by B, KiB, MiB
// or GiB.
func ParseSize(s string) (Size, error) {
	digits, factor := s, int64(1)
	for _, u := range units {
		if head, ok := strings.CutSuffix(s, u.suffix); ok {
			digits, factor = strings.TrimRight(head, " "), u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/factor {
		return 0, errSize
	}
	return Size(int64(n) * factor), nil
}

// String writes the size with the largest unit that divides it.
func (s Size) String() string {
	if s > 0 {
		for _, u := range units[:3] {
			if int64(s)%u.bytes == 0 {
				return strconv.FormatInt(int64(s)/u.bytes, 10) + u.suffix
			}
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalYAML writes the size as String does, so that a Config can be printed
// and read back.
func (s Size) MarshalYAML() ([]byte, error) { return []byte(s.String()), nil }
