package dashboards

const upstream = instances + `,upstream=~"${upstream:regex}"`

// Upstreams answers which endpoint fails, and what the proxy does about it.
func Upstreams() Dashboard {
	return Dashboard{
		UID: "gauntlet-upstreams", Title: "Gauntlet: upstreams and pools",
		About: "Which endpoint fails, what the proxy does about it, and where requests wait.",
		Vars:  []Var{instanceVar(), {Name: "upstream", Label: "Upstream", Values: "label_values(gauntlet_pool_connections, upstream)"}},
		Rows: []Row{
			{Title: "Attempts", Panels: []Panel{
				{
					Title: "Attempts by outcome", Unit: "reqps", Kind: Series, About: "Tries on endpoints: a status class, or how they failed.",
					Queries: []Query{{Expr: `sum by (outcome) (rate(gauntlet_upstream_attempts_total{` + upstream + `}` + rate + `))`, Legend: "{{outcome}}"}},
				},
				{
					Title: "Attempts by endpoint", Unit: "reqps", Kind: Series, About: "How the load is shared.",
					Queries: []Query{{Expr: `sum by (endpoint) (rate(gauntlet_upstream_attempts_total{` + upstream + `}` + rate + `))`, Legend: "{{endpoint}}"}},
				},
				{
					Title: "Failed share by endpoint", Unit: "percentunit", Kind: Series, About: "Attempts without an answer below 500.",
					Queries: []Query{{Expr: `sum by (endpoint) (rate(gauntlet_upstream_attempts_total{` + upstream + `,outcome!~"[1-4]xx|cancelled"}` + rate + `)) / sum by (endpoint) (rate(gauntlet_upstream_attempts_total{` + upstream + `}` + rate + `))`, Legend: "{{endpoint}}", Rare: "attempts that fail"}},
				},
				{
					Title: "Attempt time", Unit: "s", Kind: Series, Width: 12, About: "p99 of a try, by endpoint.",
					Queries: []Query{{Expr: `histogram_quantile(0.99, sum by (le, endpoint) (rate(gauntlet_upstream_attempt_duration_seconds_bucket{` + upstream + `}` + rate + `)))`, Legend: "{{endpoint}}"}},
				},
				{
					Title: "Phases", Unit: "s", Kind: Series, Width: 12, About: "Mean time of each phase of a try: which one is slow says who is.",
					Queries: []Query{{Expr: `sum by (phase) (rate(gauntlet_upstream_phase_duration_seconds_sum{` + upstream + `}` + rate + `)) / sum by (phase) (rate(gauntlet_upstream_phase_duration_seconds_count{` + upstream + `}` + rate + `))`, Legend: "{{phase}}"}},
				},
			}},
			{Title: "Connections", Panels: []Panel{
				{
					Title: "Pool", Unit: "short", Kind: Series, About: "Connections idle, leased and being opened; waiting are requests in the queue for one. Waiting above zero means the pool is too small or the endpoint too slow.",
					Queries: []Query{{Expr: `sum by (state) (gauntlet_pool_connections{` + upstream + `})`, Legend: "{{state}}"}},
				},
				{
					Title: "Connections opened", Unit: "reqps", Kind: Series, About: "As many as attempts means that none is reused.",
					Queries: []Query{{Expr: `sum by (endpoint) (rate(gauntlet_pool_dials_total{` + upstream + `}` + rate + `))`, Legend: "{{endpoint}}"}},
				},
				{
					Title: "Attempts a connection", Unit: "short", Kind: Series, About: "How often a connection was used, since the start. One means that none is reused.",
					Queries: []Query{{Expr: `sum(gauntlet_upstream_attempts_total{` + upstream + `}) / sum(gauntlet_pool_dials_total{` + upstream + `})`, Legend: "attempts"}},
				},
			}},
			{Title: "Endpoints", Panels: []Panel{
				{
					Title: "Breakers", Kind: States, Width: 12, About: "Open: its requests go elsewhere, or are refused.",
					Names:   map[string]string{"0": "closed", "1": "half-open", "2": "open"},
					Queries: []Query{{Expr: `max by (upstream, endpoint) (gauntlet_breaker_state{` + upstream + `})`, Legend: "{{upstream}} {{endpoint}}"}},
				},
				{
					Title: "Health", Kind: States, Width: 12, About: "What health checks and ejection think of each endpoint.",
					Names:   map[string]string{"0": "live", "1": "ejected", "2": "unhealthy", "3": "draining"},
					Queries: []Query{{Expr: `max by (upstream, endpoint) (gauntlet_endpoint_state{` + upstream + `})`, Legend: "{{upstream}} {{endpoint}}"}},
				},
				{
					Title: "Turned away", Unit: "reqps", Kind: Series, Width: 12, About: "Exchanges refused by policy: every breaker open, or the limit full.",
					Queries: []Query{
						{Expr: `sum by (upstream) (rate(gauntlet_breaker_rejected_total{` + upstream + `}` + rate + `))`, Legend: "{{upstream}} breaker", Rare: "a breaker that is open"},
						{Expr: `sum by (upstream, reason) (rate(gauntlet_limit_rejected_total{` + upstream + `}` + rate + `))`, Legend: "{{upstream}} limit {{reason}}", Rare: "a limit that is reached"},
					},
				},
				{
					Title: "TLS", Unit: "reqps", Kind: Series, Width: 12, About: "Handshakes of clients by how they ended, and days until certificates end.",
					Queries: []Query{
						{Expr: `sum by (outcome) (rate(gauntlet_tls_handshakes_total{` + instances + `}` + rate + `))`, Legend: "{{outcome}}", Rare: "a listener with TLS"},
						{Expr: `(gauntlet_tls_certificate_expiry_timestamp_seconds{` + instances + `} - time()) / 86400`, Legend: "{{certificate}} days", Rare: "a listener with TLS"},
					},
				},
			}},
		},
	}
}
