package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// An example shows what a command is for; the first word names the command.
type example struct{ line, what string }

func examples() []example {
	return []example{
		{"run", "the smoke set on the reference proxy, or on ./gauntlet.yaml if there is one"},
		{"run all --target edge.yaml --out runs/edge", "every scenario on a proxy of your own"},
		{"run keepalive --target nginx", "one family on nginx"},
		{"init", "describe your own proxy and check the description end to end"},
		{"explain keepalive/close-on-first-byte", "what a scenario asks, and how to read and mend a failure"},
		{"load --rate 1000/s --for 10s", "what becomes of a load, with latency from the planned start"},
		{"judge runs/latest", "the verdict again, from the evidence alone"},
		{"compare runs/before runs/after", "which figures differ, and how surely; 1 when one is worse"},
		{"export runs/latest --parquet exchanges.parquet", "every exchange as a row, for DuckDB and others"},
		{"history trend --target edge", "how a figure went, version by version"},
		{"overhead --target nginx", "what a proxy adds: latency and CPU time a request"},
		{"gate release.yaml runs/latest", "go or no-go, by limits of your own and a checklist"},
		{"trace runs/latest 4711", "everything that was recorded of one exchange"},
		{"tap --listen :9001 --to 127.0.0.1:8001", "what a backend of your own is asked and answers, request by request"},
		{"chaos --listen 127.0.0.1:9001 --to 127.0.0.1:8001 --fault 'latency: 200ms'", "faults between any client and any server"},
		{"dashboards ./watch", "what to watch the proxy with: Grafana, Prometheus rules, a compose file"},
		{"doctor", "what of this works on your machine, and how to get the rest"},
		{"proxy --config proxy.yaml", "the reference proxy on its own"},
		{"dev prove", "show that every scenario catches the broken proxies it names"},
		{"version", "which Gauntlet this is"},
	}
}

// addExamples puts the examples of the commands there are into the help.
func addExamples(parser *kong.Kong) {
	there := make([]string, 0, len(parser.Model.Children))
	for _, c := range parser.Model.Children {
		there = append(there, c.Name)
	}
	wide := 0
	shown := slices.DeleteFunc(examples(), func(e example) bool {
		name, _, _ := strings.Cut(e.line, " ")
		return !slices.Contains(there, name)
	})
	for _, e := range shown {
		wide = max(wide, len(e.line))
	}
	var b strings.Builder
	b.WriteString("Examples:\n\n")
	for _, e := range shown {
		b.WriteString("    gauntlet " + e.line + strings.Repeat(" ", wide-len(e.line)) + "   # " + e.what + "\n")
	}
	parser.Model.Detail = b.String()
}
