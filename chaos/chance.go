package chaos

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

// A Chance is a share above 0 to 1, written 0.05 or 5%.
type Chance float64

// ParseChance reads either spelling.
func ParseChance(s string) (Chance, error) {
	digits, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(digits, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f > 0 && f <= 1) {
		return 0, fmt.Errorf("found %q; allowed: a share above 0 to 1, like 0.05 or 5%%", s)
	}
	return Chance(f), nil
}

func (c Chance) String() string { return strconv.FormatFloat(float64(c)*100, 'g', 6, 64) + "%" }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Chance) UnmarshalText(b []byte) (err error) {
	*c, err = ParseChance(string(b))
	return err
}

// MarshalJSON gives the share as a number.
func (c Chance) MarshalJSON() ([]byte, error) { return json.Marshal(float64(c)) }

// JSONSchema describes both spellings.
func (Chance) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "number", ExclusiveMinimum: "0", Maximum: "1"},
		{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?%?$`},
	}}
}
