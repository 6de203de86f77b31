package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gauntlet/fixtures/strict"
	"gauntlet/fixtures/units"
	"gauntlet/scenarios/expect"
)

// A Setting is one word of the vocabulary in which scenarios say what a target
// is given and targets say what they have.
type Setting struct {
	Name    string // dotted
	Type    expect.SettingType
	Meaning string
}

// Settings lists the vocabulary, sorted by name.
func Settings() []Setting {
	const (
		whole, number, flag  = expect.IntSetting, expect.NumberSetting, expect.BoolSetting
		duration, size, text = expect.DurationSetting, expect.SizeSetting, expect.TextSetting
	)
	all := []Setting{
		{"downstream.body_timeout", duration, "how long a request body may make no progress"},
		{"downstream.header_timeout", duration, "how long a client may take to send a head"},
		{"downstream.idle_timeout", duration, "how long a client connection may be idle"},
		{"downstream.http2", flag, "clients may speak HTTP/2"},
		{"downstream.tls", flag, "clients are spoken to under TLS"},
		{"downstream.write_timeout", duration, "how long a client may take nothing of its answer"},
		{"lifecycle.announce", duration, "how long a graceful stop announces itself while still accepting"},
		{"lifecycle.drain", flag, "a graceful stop is configured"},
		{"lifecycle.timeout", duration, "when a graceful stop becomes a hard one"},
		{"telemetry.otlp.only", flag, "it tells of itself by OTLP and in no other way: no scrape, no files"},
		{"telemetry.otlp.protocol", text, "how OTLP is spoken: http or grpc"},
		{"telemetry.otlp.signals", text, "what is exported by OTLP, as in traces,metrics,logs"},
		{"upstream.balance", text, "who gets a request: round-robin, weighted, least-connections, p2c, hash or sticky"},
		{"upstream.breaker.failure_rate", number, "share of failures in the window that opens the breaker"},
		{"upstream.breaker.half_open", whole, "requests let in as probes while half open"},
		{"upstream.breaker.min_failures", whole, "failures in the window below which it never opens"},
		{"upstream.breaker.open_for", duration, "how long it stays open before it probes"},
		{"upstream.breaker.window", duration, "the stretch over which failures count"},
		{"upstream.ejection.failures", whole, "failures in a row after which an endpoint is left alone"},
		{"upstream.ejection.for", duration, "how long it is left alone"},
		{"upstream.ejection.max_percent", whole, "share of the endpoints that may be left alone at once"},
		{"upstream.endpoints", whole, "backends the target balances over"},
		{"upstream.health.healthy", whole, "checks in a row that must pass before an unhealthy endpoint is used again"},
		{"upstream.health.interval", duration, "time between two checks of an endpoint"},
		{"upstream.health.path", text, "path that is asked for; a status below 400 is well"},
		{"upstream.health.unhealthy", whole, "checks in a row that must fail before an endpoint is no longer used"},
		{"upstream.hedge.after", duration, "how long a try may bring no head before another is made beside it"},
		{"upstream.hedge.max", whole, "such tries of one exchange"},
		{"upstream.idle_timeout", duration, "how long an upstream connection may be idle"},
		{"upstream.limit.concurrent", whole, "exchanges with all endpoints together that may be under way at once"},
		{"upstream.limit.queue", whole, "exchanges that may wait for their turn"},
		{"upstream.limit.wait", duration, "how long an exchange may wait for its turn"},
		{"upstream.pool.max_connections", whole, "connections to one endpoint"},
		{"upstream.pool.max_idle", whole, "idle connections kept to one endpoint"},
		{"upstream.pool.min_idle", whole, "idle connections opened to each endpoint before requests need them, and kept"},
		{"upstream.pool.wait", duration, "how long a request may wait for a connection"},
		{"upstream.protocol", text, "what backends are spoken to in: http1 or h2"},
		{"upstream.retries", whole, "tries beyond the first"},
		{"upstream.retry.backoff", duration, "wait before the first retry"},
		{"upstream.retry.budget", number, "retries as a share of requests"},
		{"upstream.retry.max_backoff", duration, "longest wait before a retry"},
		{"upstream.retry.replay_bytes", size, "how much of a body is kept for another try"},
		{"upstream.rewrite.find", text, "text that is replaced in the bodies of answers"},
		{"upstream.rewrite.remove", text, "field that is taken out of answers"},
		{"upstream.rewrite.replace", text, "text that is put in its place"},
		{"upstream.rewrite.set", text, "field that answers are given, as in X-Frame-Options: DENY"},
		{"upstream.timeouts.body_idle", duration, "silence allowed within an answer's body"},
		{"upstream.timeouts.connect", duration, "time for a TCP connection"},
		{"upstream.timeouts.deadline", duration, "time for the whole exchange, all tries together"},
		{"upstream.timeouts.headers", duration, "time from the request's end to the answer's head"},
		{"upstream.timeouts.per_try", duration, "time for one try"},
		{"upstream.timeouts.tls", duration, "time for a TLS handshake"},
		{"upstream.timeouts.write", duration, "silence allowed while a request is written"},
		{"upstream.tls", flag, "backends are spoken to under TLS"},
		{"upstream.weights", text, "weights of the endpoints in their order, as in 3,1"},
		{"upstream.workers", whole, "processes or threads that keep pools of their own"},
	}
	slices.SortFunc(all, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Known gives the setting of a name.
func Known(name string) (Setting, bool) {
	all := Settings()
	i, ok := slices.BinarySearchFunc(all, name, func(s Setting, n string) int { return strings.Compare(s.Name, n) })
	if !ok {
		return Setting{}, false
	}
	return all[i], true
}

// Features lists what a target may be required to be able to do.
func Features() []string {
	return []string{"announce", "breaker", "drain", "expect", "full_duplex", "http1.0", "interim", "pool", "recovery", "reload", "reload_endpoints", "reload_refuses", "replace", "retries", "streaming", "trailers", "upgrade"}
}

// Parse reads a value of the setting's type and gives it as targets and
// evidence write it: durations in Go's form, sizes as bytes.
func (s Setting) Parse(text string) (string, error) {
	switch s.Type {
	case expect.IntSetting:
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return "", fmt.Errorf("found %q; allowed: a whole number", text)
		}
		return strconv.FormatUint(n, 10), nil
	case expect.NumberSetting:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return "", fmt.Errorf("found %q; allowed: a number from 0 to 1", text)
		}
		return strconv.FormatFloat(f, 'f', -1, 64), nil
	case expect.BoolSetting:
		if text != "true" && text != "false" {
			return "", fmt.Errorf("found %q; allowed: true or false", text)
		}
		return text, nil
	case expect.DurationSetting:
		d, err := units.ParseDuration(text)
		if err != nil {
			return "", fmt.Errorf("found %q; allowed: a duration such as 250ms, 1.5s or 2m", text)
		}
		return d.String(), nil
	case expect.SizeSetting:
		n, err := units.ParseSize(text)
		if err != nil {
			return "", fmt.Errorf("found %q; allowed: a size such as 512, 64KiB or 1MiB", text)
		}
		return strconv.FormatInt(int64(n), 10), nil
	case expect.TextSetting:
		return text, nil
	}
	return "", fmt.Errorf("setting %s has no type", s.Name)
}

// Given is the settings a scenario wants, by dotted name, as text in Parse's
// form. In YAML dotted names and nested maps may be mixed.
type Given map[string]string

// UnmarshalYAML reads the settings, flattens them and checks each.
func (g *Given) UnmarshalYAML(n ast.Node) error {
	*g = Given{}
	var ps strict.Problems
	g.read("", n, &ps)
	return ps.Err()
}

func (g *Given) read(prefix string, n ast.Node, ps *strict.Problems) {
	pairs, ok := strict.Pairs(n)
	if !ok {
		ps.Add(n, fmt.Errorf("found %s; allowed: a map of settings", strict.Kind(n)))
		return
	}
	for _, pair := range pairs {
		key, _ := strict.Scalar(pair.Key)
		name := strings.TrimPrefix(prefix+"."+key, ".")
		setting, known := Known(name)
		if _, nested := strict.Pairs(pair.Value); nested && isGroup(name) {
			g.read(name, pair.Value, ps)
			continue
		}
		text, scalar := strict.Scalar(pair.Value)
		switch _, twice := (*g)[name]; {
		case !known:
			ps.Add(pair.Key, fmt.Errorf("no setting is named %q; allowed: %s", name, nearest(name)))
		case twice:
			ps.Add(pair.Key, fmt.Errorf("setting %s stands here twice", name))
		case !scalar:
			ps.Add(pair.Value, fmt.Errorf("found %s; allowed: one value", strict.Kind(pair.Value)))
		default:
			value, err := setting.Parse(text)
			ps.Add(pair.Value, err)
			(*g)[name] = value
		}
	}
}

// isGroup reports whether settings are named below name.
func isGroup(name string) bool {
	return slices.ContainsFunc(Settings(), func(s Setting) bool { return strings.HasPrefix(s.Name, name+".") })
}

// nearest lists the settings of the same group, or else the groups.
func nearest(name string) string {
	group := name
	for group != "" {
		group = group[:max(strings.LastIndex(group, "."), 0)]
		var names []string
		for _, s := range Settings() {
			if rest, ok := strings.CutPrefix(s.Name, group+"."); ok && group != "" && !strings.Contains(rest, ".") {
				names = append(names, s.Name)
			}
		}
		if len(names) > 0 {
			return strings.Join(names, ", ")
		}
	}
	return "see gauntlet list settings"
}

func settingTypes() map[string]expect.SettingType {
	types := map[string]expect.SettingType{}
	for _, s := range Settings() {
		types[s.Name] = s.Type
	}
	return types
}
