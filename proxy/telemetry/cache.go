package telemetry

import "sync"

// A cache keeps what was looked up by labels: a lookup costs more than adding
// to what it finds. It holds at most limit entries; all further keys share one,
// which is what bounds the series of a metric.
type cache[K comparable, V any] struct {
	create func(K) V
	limit  int
	rest   K // the key of those beyond the limit

	mu    sync.RWMutex
	known map[K]V
}

// get gives what belongs to key.
func (c *cache[K, V]) get(key K) V {
	c.mu.RLock()
	one, ok := c.known[key]
	c.mu.RUnlock()
	if ok {
		return one
	}
	return c.add(key)
}

func (c *cache[K, V]) add(key K) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[K]V{}
	}
	if _, ok := c.known[key]; !ok && len(c.known) >= c.limit {
		key = c.rest
	}
	one, ok := c.known[key]
	if !ok {
		one = c.create(key)
		c.known[key] = one
	}
	return one
}

// forget drops the keys that gone is true of, and calls drop while nothing can
// be added: what was kept would count on where nobody looks.
func (c *cache[K, V]) forget(gone func(K) bool, drop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	drop()
	for key := range c.known {
		if gone(key) {
			delete(c.known, key)
		}
	}
}
