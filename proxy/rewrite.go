package proxy

import (
	"gauntlet/proxy/config"
	"gauntlet/proxy/policy/rewrite"
)

// rewriting translates settings into the terms of package rewrite; nil: nothing
// is to be changed.
func rewriting(c config.Rewrite) *rewrite.Config {
	h := c.Headers
	if len(h.Set)+len(h.Add)+len(h.Remove)+len(c.Body) == 0 {
		return nil
	}
	cfg := &rewrite.Config{Set: h.Set, Add: h.Add, Remove: h.Remove, MaxBuffer: int(c.MaxBuffer), Types: c.Types}
	for _, b := range c.Body {
		cfg.Body = append(cfg.Body, rewrite.Replacement{Find: b.Find, With: b.Replace})
	}
	return cfg
}
