package dashboards

// Run follows a run of Gauntlet itself, whose `--metrics` Prometheus scrapes.
func Run() Dashboard {
	const rare = "a run that is scraped"
	return Dashboard{
		UID: "gauntlet-run", Title: "Gauntlet: a run",
		About: "How far a run is and what its cases came to. Start it with --metrics and let Prometheus scrape that address.",
		Rows: []Row{
			{Title: "Progress", Panels: []Panel{
				{
					Title: "Cases done", Kind: Number, Unit: "percentunit", About: "Of those planned.",
					Queries: []Query{{Expr: `sum(gauntlet_run_cases_total) / sum(gauntlet_run_cases_planned)`, Legend: "done", Rare: rare}},
				},
				{
					Title: "Cases by verdict", Kind: Series, Unit: "short", About: "pass, exposed, fail, invalid and unsupported so far.",
					Queries: []Query{{Expr: `sum by (verdict) (gauntlet_run_cases_total)`, Legend: "{{verdict}}", Rare: rare}},
				},
				{
					Title: "Running", Kind: Series, Unit: "short", About: "Cases under way. Those whose times matter run alone.",
					Queries: []Query{{Expr: `sum(gauntlet_run_cases_running)`, Legend: "running", Rare: rare}},
				},
			}},
			{Title: "By family", Panels: []Panel{
				{
					Title: "Verdicts", Kind: Table, Width: 12, About: "Cases of each family by verdict.",
					Queries: []Query{{Expr: `sum by (family, verdict) (gauntlet_run_cases_total)`, Rare: rare}},
				},
				{
					Title: "Time taken", Kind: Series, Unit: "s", Width: 12, About: "Seconds the cases of each family took, all together.",
					Queries: []Query{{Expr: `sum by (family) (gauntlet_run_case_seconds_total)`, Legend: "{{family}}", Rare: rare}},
				},
			}},
		},
	}
}
