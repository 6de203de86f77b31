package dashboards

const exchangeUID = "gauntlet-exchange"

// Exchange follows one exchange from any of the three signals to the others:
// a figure's exemplar and a log line both name its trace.
func Exchange() Dashboard {
	return Dashboard{
		UID: exchangeUID, Title: "Gauntlet: one exchange",
		About: "The path of one exchange: its spans, and the log lines that name its trace. Come here from an exemplar or a log line, or paste a trace id.",
		Vars:  []Var{{Name: "trace", Label: "Trace id"}},
		Rows: []Row{
			{Title: "The exchange", Panels: []Panel{
				{Title: "Spans", Kind: OneTrace, Width: 24, About: "One server span, and a client span for each attempt.", Queries: []Query{{Expr: "${trace}"}}},
				{Title: "Log lines", Kind: LogLines, Width: 24, About: "The access log line of the exchange, and what else was logged under its trace.", Queries: []Query{{Expr: `{service_name="gauntlet-proxy"} | json | trace_id="${trace}"`}}},
			}},
			{Title: "Exchanges to look at", Panels: []Panel{
				{
					Title: "Slow ones", Unit: "s", Kind: Series, Width: 12, About: "Each dot is an exchange; follow it to its trace.",
					Queries: []Query{{Expr: `histogram_quantile(0.99, sum by (le) (rate(gauntlet_http_request_duration_seconds_bucket` + rate + `)))`, Legend: "p99", Exemplar: true}},
				},
				{Title: "Failed ones", Kind: LogLines, Width: 12, About: "Each line names its trace.", Queries: []Query{{Expr: `{service_name="gauntlet-proxy"} | json | status >= 500 or error != "" or aborted = "true"`}}},
			}},
		},
	}
}
