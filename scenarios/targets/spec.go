package targets

import (
	"gauntlet/fixtures/units"
)

// A Spec is a target file: a proxy of the user's own, described. Everything a
// scenario could want but the file does not name is unsupported there, never
// assumed. See design.md, "A target of the user's own".
type Spec struct {
	Name      string            `yaml:"name" json:"name" jsonschema:"description=how reports call it"`
	Version   string            `yaml:"version,omitempty" json:"version,omitempty" jsonschema:"description=shown in reports"`
	Start     []string          `yaml:"start,omitempty" json:"start,omitempty" jsonschema:"description=program and arguments; ${listen} ${backend.0} ${backends} ${admin} ${dir} ${otlp} ${knobs} are replaced"`
	URL       string            `yaml:"url,omitempty" json:"url,omitempty" jsonschema:"description=a proxy that runs already; needs backends.listen"`
	Env       map[string]string `yaml:"env,omitempty" json:"env,omitempty"`
	Files     []File            `yaml:"files,omitempty" json:"files,omitempty" jsonschema:"description=files copied into ${dir} with replacements"`
	Backends  FixedBackends     `yaml:"backends,omitempty" json:"backends,omitzero"`
	Request   RequestSpec       `yaml:"request,omitempty" json:"request,omitzero"`
	Ready     ReadySpec         `yaml:"ready,omitempty" json:"ready,omitzero"`
	Reload    any               `yaml:"reload,omitempty" json:"reload,omitempty" jsonschema:"description=a signal name or a command"`
	Drain     string            `yaml:"drain,omitempty" json:"drain,omitempty" jsonschema:"description=signal for a graceful stop, e.g. SIGQUIT for nginx"`
	Stop      string            `yaml:"stop,omitempty" json:"stop,omitempty" jsonschema:"description=signal that ends it, SIGTERM by default"`
	Features  []string          `yaml:"features,omitempty" json:"features,omitempty"`
	Settings  map[string]string `yaml:"settings,omitempty" json:"settings,omitempty" jsonschema:"description=fixed settings in the common vocabulary"`
	Knobs     map[string]string `yaml:"knobs,omitempty" json:"knobs,omitempty" jsonschema:"description=settable settings: the text to put in place of ${knobs}; ${value} is the value"`
	Telemetry TelemetrySpec     `yaml:"telemetry,omitempty" json:"telemetry,omitzero"`
	Accept    []Accept          `yaml:"accept,omitempty" json:"accept,omitempty" jsonschema:"description=known failures that do not fail a run until a date"`
}

// A File is copied from beside the target file into the instance's directory.
type File struct {
	From    string            `yaml:"from" json:"from"`
	To      string            `yaml:"to,omitempty" json:"to,omitempty"`
	Replace map[string]string `yaml:"replace,omitempty" json:"replace,omitempty"`
}

// FixedBackends are addresses the backends must listen on.
type FixedBackends struct {
	Listen []string `yaml:"listen,omitempty" json:"listen,omitempty"`
}

// RequestSpec is what every request to the target needs.
type RequestSpec struct {
	Host    string            `yaml:"host,omitempty" json:"host,omitempty"`
	Prefix  string            `yaml:"prefix,omitempty" json:"prefix,omitempty"`
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty" jsonschema:"description=${env:NAME} reads the environment"`
}

// ReadySpec says when the target serves.
type ReadySpec struct {
	Request string         `yaml:"request,omitempty" json:"request,omitzero" jsonschema:"description=a path; any answer but 502 503 504 means ready"`
	Connect bool           `yaml:"connect,omitempty" json:"connect,omitempty" jsonschema:"description=an accepted connection is enough"`
	Timeout units.Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
}

// TelemetrySpec says what the target exports.
type TelemetrySpec struct {
	OTLP       bool   `yaml:"otlp,omitempty" json:"otlp,omitempty"`
	Prometheus string `yaml:"prometheus,omitempty" json:"prometheus,omitempty"`
	AccessLog  string `yaml:"access_log,omitempty" json:"access_log,omitempty"`
}

// Accept is a known failure with a reason and a date on which it ends.
type Accept struct {
	Scenario string `yaml:"scenario" json:"scenario"`
	Because  string `yaml:"because" json:"because"`
	Until    string `yaml:"until" json:"until" jsonschema:"description=a date, 2027-01-31"`
}
