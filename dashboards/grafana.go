package dashboards

import (
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/tempo"
)

// The data sources a dashboard chooses from, by the variable that names each.
var sources = []struct{ name, label, kind string }{
	{"metrics", "Metrics", "prometheus"},
	{"logs", "Logs", "loki"},
	{"traces", "Traces", "tempo"},
}

func source(i int) common.DataSourceRef {
	return common.DataSourceRef{Type: new(sources[i].kind), Uid: new("${" + sources[i].name + "}")}
}

const tag = "gauntlet"

// JSON gives the dashboard in the form that Grafana imports.
func (d Dashboard) JSON() ([]byte, error) {
	b := dashboard.NewDashboardBuilder(d.Title).Uid(d.UID).Description(d.About).Tags([]string{tag}).
		Timezone("browser").Refresh("10s").Time("now-30m", "now").Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Link(dashboard.NewDashboardLinkBuilder("Gauntlet").Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{tag}).AsDropdown(true).KeepTime(true).IncludeVars(true))
	for _, s := range sources {
		b.WithVariable(dashboard.NewDatasourceVariableBuilder(s.name).Label(s.label).Type(s.kind))
	}
	for _, v := range d.Vars {
		b.WithVariable(v.build())
	}
	for _, r := range d.Rows {
		b.WithRow(dashboard.NewRowBuilder(r.Title))
		for _, p := range r.Panels {
			b.WithPanel(p.build())
		}
	}
	built, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("build dashboard %s: %w", d.UID, err)
	}
	text, err := json.MarshalIndent(built, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode dashboard %s: %w", d.UID, err)
	}
	return append(text, '\n'), nil
}

func (v Var) build() cog.Builder[dashboard.VariableModel] {
	if v.Values == "" {
		return dashboard.NewTextBoxVariableBuilder(v.Name).Label(v.Label)
	}
	return dashboard.NewQueryVariableBuilder(v.Name).Label(v.Label).Datasource(source(0)).
		Query(dashboard.StringOrMap{String: new(v.Values)}).Definition(v.Values).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true).IncludeAll(true).AllValue(".*")
}

func (p Panel) build() *dashboard.PanelBuilder {
	width := p.Width
	if width == 0 {
		width = 8
	}
	b := dashboard.NewPanelBuilder().Type(string(p.Kind)).Title(p.Title).Description(p.About).
		Unit(p.Unit).Span(width).Height(8).Datasource(p.source())
	if len(p.Names) > 0 {
		b.Mappings([]dashboard.ValueMapping{{ValueMap: p.names()}})
	}
	for i, q := range p.Queries {
		b.WithTarget(p.target(q, string(rune('A'+i))))
	}
	if p.Kind == Series {
		b.DataLinks([]cog.Builder[dashboard.DashboardLink]{
			dashboard.NewDashboardLinkBuilder("Exchanges of this time").Type(dashboard.DashboardLinkTypeLink).
				Url("/d/" + exchangeUID + "?from=${__from}&to=${__to}"),
		})
	}
	return b
}

func (p Panel) source() common.DataSourceRef {
	switch p.Kind {
	case LogLines:
		return source(1)
	case OneTrace:
		return source(2)
	default:
		return source(0)
	}
}

func (p Panel) names() *dashboard.ValueMap {
	m := dashboard.NewValueMap()
	for value, name := range p.Names {
		m.Options[value] = dashboard.ValueMappingResult{Text: new(name)}
	}
	return m
}

func (p Panel) target(q Query, ref string) cog.Builder[variants.Dataquery] {
	if p.Kind == LogLines {
		return loki.NewDataqueryBuilder().Expr(q.Expr).RefId(ref).Datasource(p.source())
	}
	if p.Kind == OneTrace {
		return tempo.NewTempoQueryBuilder().QueryType("traceql").Query(q.Expr).RefId(ref).Datasource(p.source())
	}
	b := prometheus.NewDataqueryBuilder().Expr(q.Expr).RefId(ref).LegendFormat(q.Legend).Exemplar(q.Exemplar).Datasource(p.source())
	if p.Kind == Number || p.Kind == Table {
		return b.Instant()
	}
	return b.Range()
}
