package telemetry

// LookedUp counts a lookup of the name of one of an upstream's endpoints.
func (t *Telemetry) LookedUp(upstream string, ok bool) {
	outcome := "answered"
	if !ok {
		outcome = "failed"
	}
	t.metrics.lookups.WithLabelValues(upstream, outcome).Inc()
}
