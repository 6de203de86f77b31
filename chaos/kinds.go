package chaos

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gauntlet/fixtures/strict"
)

// A Kind is one word of the fault language.
type Kind struct {
	Name    string // the key, or the bare word
	Example string // a spelling that parses
	Doc     string // what it does, one sentence

	bare   bool // may stand alone, without settings
	decode func(ast.Node) (Fault, error)
	schema []param
}

// param is one setting in the JSON Schema of a kind.
type param struct {
	name, pattern string
	required      bool
}

// Kinds lists the faults that can be written, in the order of the documentation.
func Kinds() []Kind {
	amount := []param{{name: "after"}}
	return []Kind{
		{Name: "latency", Example: "{latency: {delay: 30ms, jitter: 20ms}}", Doc: "Delays every byte by delay ± jitter; order and throughput are kept.", decode: settings[Latency], schema: []param{{"delay", durationPattern, true}, {"jitter", durationPattern, false}}},
		{Name: "bandwidth", Example: "{bandwidth: {rate: 64KiB/s}}", Doc: "Lets through so many bytes a second in each direction and holds the sender back.", decode: settings[Bandwidth], schema: []param{{"rate", pacePattern, true}}},
		{Name: "slicer", Example: "{slicer: {size: 3, gap: 1ms}}", Doc: "Hands bytes on in small writes, gap apart.", decode: settings[Slicer], schema: []param{{"size", sizePattern, true}, {"gap", durationPattern, false}}},
		{Name: "reset", Example: "{reset: {after: {between: [1KiB, 200KiB]}}}", Doc: "Resets the connection towards both peers after so many bytes in one direction, at once when none are named.", bare: true, decode: settings[Reset], schema: amount},
		{Name: "cut", Example: "{cut: {after: 10}}", Doc: "Ends the connection with FIN towards both peers after so many bytes, at once when none are named.", bare: true, decode: settings[Cut], schema: amount},
		{Name: "half-close", Example: "{half-close: {after: 100}}", Doc: "Sends FIN in one direction (up unless the window says down) after so many bytes; the other goes on.", bare: true, decode: settings[HalfClose], schema: amount},
		{Name: "blackhole", Example: "{blackhole: connect}", Doc: "connect: attempts to connect get no answer. data: nothing passes on open connections until the window closes.", decode: blackhole},
		{Name: "refuse", Example: "refuse", Doc: "Attempts to connect are refused; open connections are not touched.", bare: true, decode: settings[Refuse]},
		{Name: "none", Example: "none", Doc: "Nothing happens, for scenarios that vary the fault.", bare: true, decode: settings[None]},
	}
}

func names() string {
	var all []string
	for _, k := range Kinds() {
		all = append(all, k.Name)
	}
	return strings.Join(all, ", ")
}

// checked is a fault whose settings can contradict each other.
type checked interface{ check() error }

func settings[F Fault](n ast.Node) (Fault, error) {
	var f F
	if n != nil {
		if err := strict.Node(n, &f); err != nil {
			return nil, err
		}
	}
	if c, ok := Fault(f).(checked); ok {
		if err := c.check(); err != nil {
			return nil, strict.At(n, "%s", err)
		}
	}
	return f, nil
}

func blackhole(n ast.Node) (Fault, error) {
	switch text, _ := strict.Scalar(n); text {
	case "connect":
		return BlackholeConnect{}, nil
	case "data":
		return BlackholeData{}, nil
	}
	return nil, strict.At(n, "found %s; allowed: connect, data", strict.Kind(n))
}
