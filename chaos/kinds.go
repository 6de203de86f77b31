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
		{Name: "spikes", Example: "{spikes: {delay: 500ms, chance: 5%}}", Doc: "Delays some reads, by chance, and what follows them; the others pass at once.", decode: settings[Spikes], schema: []param{{"delay", durationPattern, true}, {"chance", chancePattern, true}}},
		{Name: "stall", Example: "{stall: {after: 4KiB, for: 2s}}", Doc: "Lets so many bytes pass and then nothing for a time, or until the window closes.", decode: settings[Stall], schema: []param{{name: "after"}, {"for", durationPattern, false}}},
		{Name: "slow-close", Example: "{slow-close: {delay: 2s}}", Doc: "Holds back the end of a direction, FIN or RST, and nothing else.", decode: settings[SlowClose], schema: []param{{"delay", durationPattern, true}}},
		{Name: "timeout", Example: "{timeout: {after: 3s}}", Doc: "Lets nothing pass any more and ends the connection with FIN towards both peers after a time.", decode: settings[Timeout], schema: []param{{"after", durationPattern, true}}},
		{Name: "drop", Example: "{drop: {after: 10KiB}}", Doc: "Swallows one direction or both after so many bytes, for good, and tells nobody.", bare: true, decode: settings[Drop], schema: amount},
		{Name: "refuse", Example: "refuse", Doc: "Attempts to connect are refused; open connections are not touched.", bare: true, decode: settings[Refuse]},
		{Name: "handshake-stall", Example: "handshake-stall", Doc: "TLS: lets the first record of a handshake's answer pass, and then nothing until the window closes.", bare: true, decode: settings[HandshakeStall]},
		{Name: "handshake-cut", Example: "handshake-cut", Doc: "TLS: ends the connection inside of the first record of a handshake's answer.", bare: true, decode: settings[HandshakeCut]},
		{Name: "handshake-alert", Example: "{handshake-alert: {description: 40}}", Doc: "TLS: answers a handshake with a fatal alert in the server's place.", bare: true, decode: settings[HandshakeAlert], schema: []param{{"description", countPattern, false}}},
		{Name: "goaway", Example: "{goaway: {after: 1KiB}}", Doc: "HTTP/2 in the clear: ends the connection behind a frame, with a GOAWAY that gives no stream up.", bare: true, decode: settings[GoAway], schema: amount},
		{Name: "slow-head", Example: "{slow-head: {gap: 200ms}}", Doc: "HTTP/1: sends the lines of an answer's head one by one, gap apart.", decode: settings[SlowHead], schema: []param{{"gap", durationPattern, true}}},
		{Name: "big-head", Example: "{big-head: {size: 64KiB}}", Doc: "HTTP/1: adds a field of so many bytes to an answer's head.", decode: settings[BigHead], schema: []param{{"size", sizePattern, true}}},
		{Name: "garbage-status", Example: "garbage-status", Doc: "HTTP/1: puts a line that is no status line in the place of an answer's.", bare: true, decode: settings[GarbageStatus]},
		{Name: "wrong-length", Example: "{wrong-length: {by: -5}}", Doc: "HTTP/1: changes an answer's Content-Length by so many bytes, and the body not at all.", decode: settings[WrongLength], schema: []param{{"by", signedPattern, true}}},
		{Name: "truncated-chunk", Example: "{truncated-chunk: {after: 100}}", Doc: "HTTP/1: ends the connection inside of a chunk, after so many bytes of the body.", bare: true, decode: settings[TruncatedChunk], schema: amount},
		{Name: "bad-chunk", Example: "bad-chunk", Doc: "HTTP/1: puts a size that is no number in the place of the first chunk's.", bare: true, decode: settings[BadChunk]},
		{Name: "missing-trailers", Example: "missing-trailers", Doc: "HTTP/1: leaves the trailer fields of a chunked answer away.", bare: true, decode: settings[MissingTrailers]},
		{Name: "interim-storm", Example: "{interim-storm: {count: 100}}", Doc: "HTTP/1: sends so many answers of status 103 before an answer.", decode: settings[InterimStorm], schema: []param{{"count", countPattern, true}}},
		{Name: "early-answer", Example: "{early-answer: {status: 503}}", Doc: "HTTP/1: answers in the backend's stead as soon as a request's head is there, and ends the connection.", bare: true, decode: settings[EarlyAnswer], schema: []param{{"status", countPattern, false}}},
		{Name: "duplicate-answer", Example: "duplicate-answer", Doc: "HTTP/1: sends an answer twice.", bare: true, decode: settings[DuplicateAnswer]},
		{Name: "surplus", Example: "{surplus: {size: 20}}", Doc: "HTTP/1: sends so many bytes of no meaning behind an answer.", decode: settings[Surplus], schema: []param{{"size", sizePattern, true}}},
		{Name: "unannounced-close", Example: "unannounced-close", Doc: "HTTP/1: ends the connection with FIN behind an answer that left it open.", bare: true, decode: settings[UnannouncedClose]},
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
