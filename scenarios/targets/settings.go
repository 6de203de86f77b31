package targets

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A knob renders one setting into a target's configuration.
type knob func(value string) string

// resolve decides for each wanted setting whether the target can have it: a
// knob sets it, a fixed value that is the same satisfies it, and a fixed
// duration is used in place of the wanted one (scenarios take their times from
// the effective setting). It returns the effective settings and the knobs'
// texts, and what is lacking: "setting NAME", with the value wanted when it is
// fixed at another.
func resolve(given, fixed map[string]string, knobs map[string]knob) (effective map[string]string, texts map[string]string, lacks []string) {
	effective, texts = map[string]string{}, map[string]string{}
	for _, name := range sortedKeys(given) {
		want := given[name]
		if k, ok := knobs[name]; ok {
			effective[name], texts[name] = want, k(want)
			continue
		}
		have, ok := fixed[name]
		if !ok {
			lacks = append(lacks, "setting "+name)
			continue
		}
		if have != want && !bothDurations(have, want) {
			lacks = append(lacks, fmt.Sprintf("setting %s = %s (it is fixed at %s)", name, want, have))
			continue
		}
		effective[name] = have
	}
	for _, name := range sortedKeys(fixed) {
		v := fixed[name]
		if usual, ok := unsaid[name]; ok && given[name] == "" && v != usual {
			lacks = append(lacks, fmt.Sprintf("setting %s = %s (it is fixed at %s)", name, usual, v))
		}
		if _, ok := effective[name]; !ok {
			effective[name] = v
		}
	}
	return effective, texts, lacks
}

// unsaid are settings that mean something when a scenario does not want them:
// its backends and clients then speak HTTP/1.1 in the clear.
var unsaid = map[string]string{"upstream.protocol": "http1", "upstream.tls": "false", "downstream.tls": "false"}

func bothDurations(a, b string) bool {
	_, errA := time.ParseDuration(a)
	_, errB := time.ParseDuration(b)
	return errA == nil && errB == nil && a != "0" && b != "0"
}

func lackingFeatures(requires, has []string) []string {
	var lacks []string
	for _, f := range requires {
		if !slices.Contains(has, f) {
			lacks = append(lacks, "feature "+f)
		}
	}
	return lacks
}

func unsupported(target string, lacks ...[]string) error {
	all := slices.Concat(lacks...)
	if len(all) == 0 {
		return nil
	}
	return &Unsupported{Target: target, Lacks: all}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
