package config

import (
	"fmt"
	"strconv"
	"time"
)

func (u *Upstream) check(k *checker, at string) {
	if len(u.Endpoints) == 0 {
		k.add(at+".endpoints", "none", "at least one host:port")
	}
	first := map[string]int{}
	for i, e := range u.Endpoints {
		path := fmt.Sprintf("%s.endpoints[%d]", at, i)
		k.address(path, e.Address, 1)
		if j, dup := first[e.Address]; dup {
			k.add(path, "an endpoint a second time", fmt.Sprintf("it once (see %s.endpoints[%d])", at, j))
			continue
		}
		first[e.Address] = i
	}
	u.Balance.check(k, at, u.Endpoints)
	number(k, at+".retries", u.Retries, 0, 10)
	duration(k, at+".deadline", u.Deadline, 0, 24*time.Hour)
	u.TLS.check(k, at+".tls")
	u.checkProtocol(k, at)
	u.DNS.check(k, at+".dns")

	u.Limit.check(k, at+".limit")
	u.Hedge.check(k, at+".hedge")
	u.Rewrite.check(k, at+".rewrite")

	t := u.Timeouts
	duration(k, at+".timeouts.connect", t.Connect, time.Millisecond, time.Hour)
	duration(k, at+".timeouts.tls", t.TLS, time.Millisecond, time.Hour)
	duration(k, at+".timeouts.write", t.Write, time.Millisecond, time.Hour)
	duration(k, at+".timeouts.headers", t.Headers, time.Millisecond, time.Hour)
	duration(k, at+".timeouts.body_idle", t.BodyIdle, time.Millisecond, time.Hour)
	duration(k, at+".timeouts.per_try", t.PerTry, 0, time.Hour)

	p := u.Pool
	number(k, at+".pool.max_connections", p.MaxConnections, 1, 65536)
	number(k, at+".pool.max_idle", p.MaxIdle, 0, 65536)
	number(k, at+".pool.min_idle", p.MinIdle, 0, 65536)
	if most := min(p.MaxIdle, p.MaxConnections); p.MinIdle > most && most >= 0 {
		k.add(at+".pool.min_idle", strconv.Itoa(p.MinIdle), fmt.Sprintf("at most max_idle and max_connections, %d", most))
	}
	duration(k, at+".pool.idle_timeout", p.IdleTimeout, time.Millisecond, 24*time.Hour)
	duration(k, at+".pool.wait", p.Wait, time.Millisecond, time.Hour)

	if b := u.Breaker; b.Enabled {
		number(k, at+".breaker.failure_rate", b.FailureRate, 0.001, 1)
		number(k, at+".breaker.min_failures", b.MinFailures, 1, 1_000_000)
		duration(k, at+".breaker.window", b.Window, 10*time.Millisecond, time.Hour)
		duration(k, at+".breaker.open_for", b.OpenFor, time.Millisecond, time.Hour)
		number(k, at+".breaker.half_open", b.HalfOpen, 1, 10_000)
	}

	r := u.Retry
	duration(k, at+".retry.backoff", r.Backoff, time.Millisecond, time.Hour)
	duration(k, at+".retry.max_backoff", r.MaxBackoff, time.Millisecond, time.Hour)
	if r.Backoff > r.MaxBackoff {
		k.add(at+".retry.backoff", r.Backoff.String(), "at most retry.max_backoff, "+r.MaxBackoff.String())
	}
	number(k, at+".retry.budget", r.Budget, 0, 1)
	number(k, at+".retry.replay_bytes", r.ReplayBytes, 0, 16<<20)

	u.Health.check(k, at)
	u.Ejection.check(k, at)
	duration(k, at+".slow_start", u.SlowStart, 0, time.Hour)
}
