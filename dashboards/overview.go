package dashboards

const (
	instances = `instance=~"${instance:regex}"`
	rate      = "[$__rate_interval]"
)

func instanceVar() Var {
	return Var{Name: "instance", Label: "Instance", Values: "label_values(gauntlet_inflight_requests, instance)"}
}

// quantile gives a latency quantile of what clients waited.
func quantile(q string) string {
	return `histogram_quantile(` + q + `, sum by (le) (rate(gauntlet_http_request_duration_seconds_bucket{` + instances + `}` + rate + `)))`
}

// Overview answers whether clients get what they asked for, how soon, and
// what the process costs: the twelve golden signals of a gateway (S3.9).
func Overview() Dashboard {
	return Dashboard{
		UID: "gauntlet-overview", Title: "Gauntlet: proxy overview",
		About: "Whether clients get what they asked for, how soon, and at what cost.",
		Vars:  []Var{instanceVar()},
		Rows: []Row{
			{Title: "What clients get", Panels: []Panel{
				{
					Title: "Requests", Unit: "reqps", Kind: Series, About: "Exchanges ended a second, by status class.",
					Queries: []Query{{Expr: `sum by (class) (label_replace(rate(gauntlet_http_requests_total{` + instances + `}` + rate + `), "class", "${1}xx", "code", "(.)..")) or sum by (class) (rate(gauntlet_http_requests_total{` + instances + `,code="other"}` + rate + `))`, Legend: "{{class}}"}},
				},
				{
					Title: "Error share", Unit: "percentunit", Kind: Series, About: "Exchanges answered 5xx, as a share of all. An answer that was cut counts by the status it began with: see Exchanges cut.",
					Queries: []Query{{Expr: `sum(rate(gauntlet_http_requests_total{` + instances + `,code=~"5.."}` + rate + `)) / sum(rate(gauntlet_http_requests_total{` + instances + `}` + rate + `)) or 0 * sum(rate(gauntlet_http_requests_total{` + instances + `}` + rate + `))`, Legend: "5xx"}},
				},
				{
					Title: "Latency", Unit: "s", Kind: Series, About: "From a request's head to the last byte of its answer. Each dot is a trace.",
					Queries: []Query{
						{Expr: quantile("0.5"), Legend: "p50"},
						{Expr: quantile("0.9"), Legend: "p90"},
						{Expr: quantile("0.99"), Legend: "p99", Exemplar: true},
					},
				},
				{
					Title: "In flight", Unit: "short", Kind: Series, About: "Exchanges begun and not ended. It falls to zero when nobody asks; if not, something holds them.",
					Queries: []Query{{Expr: `sum by (instance) (gauntlet_inflight_requests{` + instances + `})`, Legend: "{{instance}}"}},
				},
				{
					Title: "Routes", Unit: "reqps", Kind: Series, About: "Exchanges ended a second, by route.",
					Queries: []Query{{Expr: `sum by (route) (rate(gauntlet_http_requests_total{` + instances + `}` + rate + `))`, Legend: "{{route}}"}},
				},
				{
					Title: "What went wrong", Unit: "reqps", Kind: Series, About: "Exchanges by the class of their error, among them answers that were cut and clients that left.",
					Queries: []Query{{Expr: `sum by (error) (rate(gauntlet_http_requests_total{` + instances + `,error!=""}` + rate + `))`, Legend: "{{error}}", Rare: "errors"}},
				},
				{
					Title: "Bytes", Unit: "Bps", Kind: Series, About: "Bodies received from clients and sent to them.",
					Queries: []Query{
						{Expr: `sum(rate(gauntlet_http_request_size_bytes_sum{` + instances + `}` + rate + `))`, Legend: "received"},
						{Expr: `sum(rate(gauntlet_http_response_size_bytes_sum{` + instances + `}` + rate + `))`, Legend: "sent"},
					},
				},
				{
					Title: "Client connections", Unit: "short", Kind: Series, About: "Open connections of clients by state.",
					Queries: []Query{{Expr: `sum by (state) (gauntlet_client_connections{` + instances + `})`, Legend: "{{state}}"}},
				},
				{
					Title: "Methods", Unit: "reqps", Kind: Series, About: "Exchanges ended a second, by method; unusual ones together.",
					Queries: []Query{{Expr: `sum by (method) (rate(gauntlet_http_requests_total{` + instances + `}` + rate + `))`, Legend: "{{method}}"}},
				},
				{
					Title: "Retries", Unit: "reqps", Kind: Series, About: "Attempts beyond an exchange's first, by reason. A surge is a backend that fails, and it adds to its load.",
					Queries: []Query{{Expr: `sum by (reason) (rate(gauntlet_retries_total{` + instances + `}` + rate + `))`, Legend: "{{reason}}", Rare: "retries"}},
				},
			}},
			{Title: "What it costs", Panels: []Panel{
				{
					Title: "CPU", Unit: "short", Kind: Series, About: "Cores in use.",
					Queries: []Query{{Expr: `rate(process_cpu_seconds_total{` + instances + `}` + rate + `) and on (instance) gauntlet_inflight_requests`, Legend: "{{instance}}"}},
				},
				{
					Title: "Memory", Unit: "bytes", Kind: Series, About: "Resident memory, and the heap in use.",
					Queries: []Query{
						{Expr: `process_resident_memory_bytes{` + instances + `} and on (instance) gauntlet_inflight_requests`, Legend: "{{instance}} resident"},
						{Expr: `go_memstats_heap_inuse_bytes{` + instances + `} and on (instance) gauntlet_inflight_requests`, Legend: "{{instance}} heap"},
					},
				},
				{
					Title: "Goroutines and descriptors", Unit: "short", Kind: Series, About: "Both follow the connections. What grows while traffic does not is a leak.",
					Queries: []Query{
						{Expr: `go_goroutines{` + instances + `} and on (instance) gauntlet_inflight_requests`, Legend: "{{instance}} goroutines"},
						{Expr: `process_open_fds{` + instances + `} and on (instance) gauntlet_inflight_requests`, Legend: "{{instance}} descriptors"},
					},
				},
			}},
			{Title: "Its own word", Panels: []Panel{
				{
					Title: "Recorded and exported", Unit: "reqps", Kind: Series, About: "Spans, log lines and figures recorded, and those a collector took.",
					Queries: []Query{
						{Expr: `sum by (signal) (rate(gauntlet_telemetry_recorded_total{` + instances + `}` + rate + `))`, Legend: "{{signal}} recorded"},
						{Expr: `sum by (signal) (rate(gauntlet_telemetry_exported_total{` + instances + `}` + rate + `))`, Legend: "{{signal}} exported"},
					},
				},
				{
					Title: "Dropped", Unit: "reqps", Kind: Series, About: "What never reached anybody, by signal and reason. No request waits for it.",
					Queries: []Query{{Expr: `sum by (signal, reason) (rate(gauntlet_telemetry_dropped_total{` + instances + `}` + rate + `))`, Legend: "{{signal}} {{reason}}", Rare: "a collector or a disk that does not keep up"}},
				},
				{
					Title: "Configuration", Kind: Table, About: "The generation in force on each instance, and whether the last reload was taken.",
					Queries: []Query{
						{Expr: `gauntlet_config_generation{` + instances + `}`, Legend: "generation"},
						{Expr: `gauntlet_config_last_reload_successful{` + instances + `}`, Legend: "last reload taken"},
					},
				},
			}},
		},
	}
}
