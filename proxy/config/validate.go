package config

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Validate reports every problem of c as an *Error, or returns nil. Load and
// Parse have called it already.
func (c *Config) Validate() error {
	if problems := c.check(); len(problems) > 0 {
		return &Error{problems}
	}
	return nil
}

func (c *Config) check() []Problem {
	k := &checker{}
	k.address("listen", c.Listen, 0)
	if c.Admin != "off" {
		k.address("admin", c.Admin, 0)
		if c.Admin == c.Listen && !strings.HasSuffix(c.Admin, ":0") {
			k.add("admin", quote(c.Admin), "an address other than listen")
		}
	}
	duration(k, "drain.announce", c.Drain.Announce, 0, time.Hour)
	duration(k, "drain.timeout", c.Drain.Timeout, time.Millisecond, time.Hour)
	if c.Drain.Announce > c.Drain.Timeout {
		k.add("drain.announce", c.Drain.Announce.String(), "at most drain.timeout, "+c.Drain.Timeout.String())
	}
	number(k, "limits.header_bytes", c.Limits.HeaderBytes, 1<<10, 16<<20)
	duration(k, "limits.header_timeout", c.Limits.HeaderTimeout, time.Millisecond, time.Hour)
	duration(k, "limits.body_timeout", c.Limits.BodyTimeout, time.Millisecond, time.Hour)
	duration(k, "limits.write_timeout", c.Limits.WriteTimeout, time.Millisecond, time.Hour)
	duration(k, "limits.idle_timeout", c.Limits.IdleTimeout, time.Millisecond, 24*time.Hour)
	c.TLS.check(k)
	c.HTTP2.check(k, c.TLS.Enabled())
	c.Telemetry.check(k)
	if len(c.Upstreams) == 0 {
		k.add("upstreams", "none", "at least one")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		at := join("upstreams", name)
		if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return !isNameByte(r) }) {
			k.add(at, quote(name), "a name of 1 to 64 letters, digits, - and _")
		}
		if c.Upstreams[name] == nil {
			k.add(at, "nothing", "an upstream")
			continue
		}
		c.Upstreams[name].check(k, at)
	}
	c.checkFallbacks(k)
	c.checkRoutes(k)
	return k.problems
}
