package dashboards

import "time"

// alerts are raised on what clients feel or soon will (S0.13, S1.12). Each has
// a scenario in which it must fire; in a clean run none may.
func alerts(p Pace) []Rule {
	window := "[" + p.Of(5*time.Minute) + "]"
	alert := func(name, severity, expr string, held time.Duration, summary, action string) Rule {
		r := Rule{
			Alert: name, Expr: expr, Labels: map[string]string{"severity": severity},
			Annotations: map[string]string{"summary": summary, "action": action},
		}
		if held > 0 {
			r.For = p.Of(held)
		}
		return r
	}
	return []Rule{
		alert("GauntletDown", page, `up{job="gauntlet"} == 0`, time.Minute,
			"{{ $labels.instance }} does not answer scrapes.",
			"See whether the process runs and why it ended: its last log lines, its exit code."),
		alert("GauntletSlow", page, `gauntlet:http_duration_seconds:p95 > 0.2`, 5*time.Minute,
			"p95 on {{ $labels.instance }} is {{ $value | humanizeDuration }}; the bound is 200 ms.",
			"Follow an exemplar of the latency panel to its trace: the phase that took the time names who is slow."),
		alert("GauntletMemory", page, `process_resident_memory_bytes{job="gauntlet"} / go_gc_gomemlimit_bytes > 0.85`, 5*time.Minute,
			"{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory limit (GOMEMLIMIT).",
			"Compare with its connections and in-flight exchanges; if memory grows while they do not, take a heap profile."),
		alert("GauntletPoolExhausted", page, `sum by (job, instance, upstream, endpoint) (gauntlet_pool_connections{state="waiting"}) > 0`, time.Minute,
			"Requests wait for a connection to {{ $labels.endpoint }} of {{ $labels.upstream }}.",
			"The endpoint is too slow for its load or the pool too small; leased connections that never fall are a leak."),
		alert("GauntletRetrySurge", page, `gauntlet:retries:ratio > 0.1`, 2*time.Minute,
			"{{ $value | humanizePercentage }} of the requests on {{ $labels.instance }} are tried again.",
			"The attempts panel names the endpoint and how it fails; retries add to its load."),
		alert("GauntletBreakerOpen", ticket, `max by (job, instance, upstream, endpoint) (gauntlet_breaker_state) == 2`, time.Minute,
			"The breaker of {{ $labels.endpoint }} of {{ $labels.upstream }} is open.",
			"The endpoint failed too often; its requests go elsewhere, or are refused if there is nowhere."),
		alert("GauntletTLSHandshakes", page,
			`sum by (job, instance) (rate(gauntlet_tls_handshakes_total{outcome!~"full|resumed"}`+window+`)) / sum by (job, instance) (rate(gauntlet_tls_handshakes_total`+window+`)) > 0.05`, 2*time.Minute,
			"{{ $value | humanizePercentage }} of the TLS handshakes on {{ $labels.instance }} fail.",
			"The outcome label says why: a certificate that ended, a client that offers no common version, a stranger who scans."),
		alert("GauntletCertificateEnds", ticket, `gauntlet_tls_certificate_expiry_timestamp_seconds - time() < 72 * 3600`, 0,
			"A certificate on {{ $labels.instance }} ends in {{ $value | humanizeDuration }}.",
			"Renew it; the proxy takes the new one without a restart."),
		alert("GauntletReloadRefused", ticket, `gauntlet_config_last_reload_successful == 0`, time.Minute,
			"{{ $labels.instance }} refused its last configuration and runs on the one before.",
			"Its log names every problem with its place."),
		alert("GauntletTelemetryLost", ticket,
			`sum by (job, instance, signal) (increase(gauntlet_telemetry_dropped_total`+window+`)) > 0 or `+
				`sum by (job, instance, signal) (increase(gauntlet_telemetry_recorded_total`+window+`)) > 2 * (sum by (job, instance, signal) (increase(gauntlet_telemetry_exported_total`+window+`)) + 10)`, time.Minute,
			"{{ $labels.instance }} drops its {{ $labels.signal }}, or nobody takes them.",
			"Requests are not touched by it, but what you read here is incomplete: see whether the collector and the disk keep up."),
	}
}

// Severities.
const (
	page   = "page"   // somebody gets up
	ticket = "ticket" // somebody looks in working hours
)
