package config

import "time"

// DNS is how the names of endpoints are looked up. Endpoints given as
// addresses never are.
type DNS struct {
	// Refresh is how often. Connections to an address that the name no longer
	// has are then closed, those in use after their exchange; when a lookup
	// fails, the last answer stays. Zero leaves names to each dial, and open
	// connections where they are.
	Refresh time.Duration `yaml:"refresh"`
	// Server is the host:port that is asked, by UDP and for long answers TCP,
	// instead of those that the machine is told of. Names are then asked for as
	// they stand, without search domains.
	Server string `yaml:"server"`
}

func (d *DNS) check(k *checker, at string) {
	if r := d.Refresh; r != 0 && (r < 100*time.Millisecond || r > 24*time.Hour) {
		k.add(at+".refresh", r.String(), "0s, or 100ms to 24h")
	}
	if d.Server == "" {
		return
	}
	k.address(at+".server", d.Server, 1)
	if d.Refresh == 0 {
		k.add(at+".refresh", "0s beside a server", "100ms to 24h: without it each dial looks names up by itself")
	}
}
