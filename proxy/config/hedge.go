package config

import "time"

// Hedge makes a second try on another endpoint when the first one brings no
// response head, and takes the head that comes first. It is done for GET, HEAD,
// OPTIONS, TRACE, PUT and DELETE without a body, while more than one endpoint is
// live, and counts towards retry.budget. With hash or sticky balancing it sends
// requests to endpoints that are not theirs.
type Hedge struct {
	// After is how long to wait for a head. Zero never hedges.
	After time.Duration `yaml:"after"`
	// Max is how many such tries an exchange may get, one every After, on top
	// of 1 + max(1, retries).
	Max int `yaml:"max"`
}

func (h *Hedge) check(k *checker, at string) {
	duration(k, at+".after", h.After, 0, time.Hour)
	number(k, at+".max", h.Max, 1, 5)
}
