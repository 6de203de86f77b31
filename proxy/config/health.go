package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Health is how endpoints are asked whether they are well. When none is, all
// get requests, unless there is a fallback.
type Health struct {
	// Check is http (a GET), tcp (a connection), exec (a command) or off.
	Check string `yaml:"check"`
	// Path and Host are those of the http check; an empty host is the
	// endpoint's address.
	Path string `yaml:"path"`
	Host string `yaml:"host"`
	// Expect lists the statuses that mean well: 204, or 200-299.
	Expect []string `yaml:"expect"`
	// Command is that of the exec check with its arguments. It finds the
	// endpoint in GAUNTLET_ENDPOINT and is well when it exits with 0.
	Command  []string      `yaml:"command"`
	Interval time.Duration `yaml:"interval"`
	Timeout  time.Duration `yaml:"timeout"`
	// Unhealthy and Healthy are how many answers in a row change an
	// endpoint's state.
	Unhealthy int `yaml:"unhealthy"`
	Healthy   int `yaml:"healthy"`
}

// Ejection leaves alone for a while what fails several times in a row: by 500,
// 502, 503 or 504, by a connection that cannot be had or breaks, by a timeout.
type Ejection struct {
	Enabled  bool `yaml:"enabled"`
	Failures int  `yaml:"failures"`
	// Slow is how long a try must have lasted for its timeout to count.
	Slow time.Duration `yaml:"slow"`
	For  time.Duration `yaml:"for"`
	// Decay is the share of the count that is forgotten every DecayEvery.
	Decay      float64       `yaml:"decay"`
	DecayEvery time.Duration `yaml:"decay_every"`
	// MaxPercent of the endpoints may be out at once; one always stays.
	MaxPercent int `yaml:"max_percent"`
}

// Statuses gives Expect as first and last status of each range, both included.
func (h Health) Statuses() [][2]int {
	var ranges [][2]int
	for _, text := range h.Expect {
		if r, ok := statusRange(text); ok {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

func statusRange(text string) ([2]int, bool) {
	low, high, two := strings.Cut(text, "-")
	if !two {
		high = low
	}
	a, err := strconv.Atoi(low)
	b, err2 := strconv.Atoi(high)
	return [2]int{a, b}, err == nil && err2 == nil && a >= 100 && a <= b && b <= 599
}

func (h *Health) check(k *checker, at string) {
	at += ".health"
	switch h.Check {
	case "off":
		return
	case "tcp":
	case "http":
		if !strings.HasPrefix(h.Path, "/") || strings.ContainsFunc(h.Path, func(r rune) bool { return r <= ' ' || r == '#' || r >= 0x7f }) {
			k.add(at+".path", quote(h.Path), "a path that begins with / and has no # or space")
		}
		if strings.ContainsAny(h.Host, " /@#?") {
			k.add(at+".host", quote(h.Host), "a host name, with a port or without, or nothing for the endpoint's address")
		}
		if len(h.Expect) == 0 {
			k.add(at+".expect", "none", "at least one status, or range such as 200-299")
		}
		for i, text := range h.Expect {
			if _, ok := statusRange(text); !ok {
				k.add(fmt.Sprintf("%s.expect[%d]", at, i), quote(text), "a status from 100 to 599, or a range such as 200-299")
			}
		}
	case "exec":
		if len(h.Command) == 0 || h.Command[0] == "" {
			k.add(at+".command", "none", "a program and its arguments")
		}
	default:
		k.add(at+".check", quote(h.Check), "http, tcp, exec or off")
		return
	}
	duration(k, at+".interval", h.Interval, 10*time.Millisecond, time.Hour)
	duration(k, at+".timeout", h.Timeout, time.Millisecond, time.Hour)
	number(k, at+".unhealthy", h.Unhealthy, 1, 1000)
	number(k, at+".healthy", h.Healthy, 1, 1000)
}

func (e *Ejection) check(k *checker, at string) {
	if !e.Enabled {
		return
	}
	at += ".ejection"
	number(k, at+".failures", e.Failures, 1, 1_000_000)
	duration(k, at+".slow", e.Slow, time.Millisecond, time.Hour)
	duration(k, at+".for", e.For, time.Millisecond, 24*time.Hour)
	number(k, at+".decay", e.Decay, 0, 1)
	duration(k, at+".decay_every", e.DecayEvery, time.Millisecond, 24*time.Hour)
	number(k, at+".max_percent", e.MaxPercent, 1, 100)
}

// checkFallbacks finds those that name nothing, and those that lead back.
func (c *Config) checkFallbacks(k *checker) {
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		u := c.Upstreams[name]
		if u == nil || u.Fallback == "" {
			continue
		}
		at := join("upstreams", name) + ".fallback"
		if c.Upstreams[u.Fallback] == nil {
			k.add(at, quote(u.Fallback), "the name of another upstream, or nothing")
			continue
		}
		way := []string{name}
		for next := u.Fallback; next != "" && c.Upstreams[next] != nil; next = c.Upstreams[next].Fallback {
			way = append(way, next)
			if next == name {
				k.add(at, "a way back to itself ("+strings.Join(way, ", ")+")", "fallbacks that end")
			}
			if slices.Contains(way[:len(way)-1], next) {
				break // its own loop, or one that is reported elsewhere
			}
		}
	}
}
