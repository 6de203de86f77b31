package config

import "time"

// Limit bounds the exchanges with an upstream that are under way at once, all
// endpoints together. An exchange is under way until its response has ended,
// however many tries it makes, and also when the fallback serves it.
// Exchanges that began before a reload changed the upstream count apart.
type Limit struct {
	// Concurrent is how many those are; 0 sets no bound.
	Concurrent int `yaml:"concurrent"`
	// Wait is how long an exchange may wait for its turn before the answer
	// is 503.
	Wait time.Duration `yaml:"wait"`
	// Queue is how many may wait; the answer to others is 503 at once.
	Queue int `yaml:"queue"`
}

func (l *Limit) check(k *checker, at string) {
	number(k, at+".concurrent", l.Concurrent, 0, 1_000_000)
	duration(k, at+".wait", l.Wait, time.Millisecond, time.Hour)
	number(k, at+".queue", l.Queue, 0, 1_000_000)
}
