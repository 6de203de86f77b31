package reports

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Millis is a duration in milliseconds, written with at most three decimals so
// that a report says the same on every machine.
type Millis float64

// MillisOf converts a duration.
func MillisOf(d time.Duration) Millis { return Millis(float64(d) / float64(time.Millisecond)) }

// MarshalJSON implements json.Marshaler; infinities and NaN are refused.
func (m Millis) MarshalJSON() ([]byte, error) { return thousandths(float64(m)) }

// Seconds is a duration in seconds, written with at most three decimals.
type Seconds float64

// SecondsOf converts a duration.
func SecondsOf(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// MarshalJSON implements json.Marshaler; infinities and NaN are refused.
func (s Seconds) MarshalJSON() ([]byte, error) { return thousandths(float64(s)) }

func thousandths(f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%w: %v is no duration", ErrInvalid, f)
	}
	f = math.Round(f*1000)/1000 + 0 // + 0 turns -0 into 0
	return strconv.AppendFloat(nil, f, 'f', -1, 64), nil
}
