package targets

import (
	"path/filepath"
	"slices"
	"strings"

	"gauntlet/scenarios/evidence"
)

// What the reference proxy exports by OTLP, how, and whether it tells of itself
// in no other way: no scrape, no files.
const (
	otlpSignals  = "telemetry.otlp.signals"
	otlpProtocol = "telemetry.otlp.protocol"
	otlpOnly     = "telemetry.otlp.only"
	accessLog    = "telemetry.access_log"
)

// A telling is how the reference proxy tells of itself in a case.
type telling struct {
	signals []string // by OTLP
	config  map[string]any
	log     string // path, "" for none
	only    bool
}

// tell says how it does, and takes the settings of it out of texts.
func tell(w *Wants, texts map[string]string) telling {
	t := telling{log: filepath.Join(w.Dir, "access.log"), only: texts[otlpOnly] == "true"}
	if to, ok := texts[accessLog]; ok {
		t.log = to
	}
	if t.only {
		t.log = "off"
	}
	t.config = map[string]any{"access_log": t.log, "log_headers": []string{"X-Gauntlet-Id"}}
	if t.log == "off" || t.log == "stdout" {
		t.log = ""
	}
	if w.OTLP != "" {
		t.signals = []string{"traces"}
		if text := texts[otlpSignals]; text != "" {
			t.signals = strings.Split(text, ",")
		}
		out := map[string]any{"endpoint": w.OTLP, "interval": "50ms", "metrics_interval": "100ms", "signals": t.signals}
		if texts[otlpProtocol] == "grpc" {
			out["endpoint"], out["protocol"] = "http://"+w.OTLPGRPC, "grpc"
		}
		t.config["otlp"] = out
	}
	for _, name := range []string{otlpSignals, otlpProtocol, otlpOnly, accessLog} {
		delete(texts, name)
	}
	return t
}

// telemetry lists what it exports, in the words of Plan.Telemetry.
func (t *telling) telemetry() (all []string) {
	if !t.only {
		all = append(all, "metrics")
	}
	for _, s := range t.signals {
		if s != "traces" {
			s = "otlp_" + s
		}
		all = append(all, s)
	}
	if t.log != "" {
		all = append(all, "access_log")
	}
	return all
}

// says tells how to read it.
func (t *telling) says() evidence.Says {
	s := evidence.Says{
		LogTraces: true, ErrorRecords: slices.Contains(t.signals, "logs"),
		Meter: evidence.Meter{
			Requests: "gauntlet_http_requests_total", Duration: "gauntlet_http_request_duration_seconds",
			Method: "method", Code: "code", Route: "route", Class: "error",
			Attempts: "gauntlet_upstream_attempts_total", Outcome: "outcome",
		},
	}
	if !t.only {
		s.ErrorLog = Output
	}
	if slices.Contains(t.signals, "metrics") {
		s.Words = proxyMetrics
	}
	return s
}
