package targets

import (
	"gauntlet/fixtures/units"
)

// A Spec is a target file: a proxy of the user's own, described. Everything a
// scenario could want but the file does not name is unsupported there, never
// assumed. See design.md, "A target of the user's own".
type Spec struct {
	Name      string            `yaml:"name" json:"name" jsonschema_description:"how reports call it"`
	Version   string            `yaml:"version,omitempty" json:"version,omitempty" jsonschema_description:"shown in reports"`
	Start     []string          `yaml:"start,omitempty" json:"start,omitempty" jsonschema_description:"program and arguments; ${listen} ${backend.0} ${backends} ${admin} ${dir} ${otlp} ${otlp.grpc} ${tls.cert} ${tls.key} ${tls.ca} ${knobs} are replaced"`
	URL       string            `yaml:"url,omitempty" json:"url,omitempty" jsonschema_description:"a proxy that runs already: http://host:port or https://host:port; see backends"`
	Env       map[string]string `yaml:"env,omitempty" json:"env,omitempty" jsonschema_description:"variables beside those of gauntlet itself"`
	Files     []File            `yaml:"files,omitempty" json:"files,omitempty" jsonschema_description:"files copied into ${dir} with replacements"`
	Backends  FixedBackends     `yaml:"backends,omitempty" json:"backends,omitzero"`
	Request   RequestSpec       `yaml:"request,omitempty" json:"request,omitzero"`
	Ready     ReadySpec         `yaml:"ready,omitempty" json:"ready,omitzero"`
	Reload    ReloadSpec        `yaml:"reload,omitempty" json:"reload,omitzero"`
	Config    string            `yaml:"config,omitempty" json:"config,omitempty" jsonschema_description:"the file that a reload reads, such as ${dir}/edge.conf, for scenarios that spoil it"`
	Upgrade   string            `yaml:"upgrade,omitempty" json:"upgrade,omitempty" jsonschema_description:"signal that has a new process of the program take over its sockets, e.g. SIGUSR2"`
	Drain     string            `yaml:"drain,omitempty" json:"drain,omitempty" jsonschema_description:"signal for a graceful stop, e.g. SIGQUIT for nginx"`
	Stop      string            `yaml:"stop,omitempty" json:"stop,omitempty" jsonschema_description:"signal that ends it, SIGTERM by default"`
	Features  []string          `yaml:"features,omitempty" json:"features,omitempty" jsonschema_description:"what it can do; a scenario that needs more is not asked"`
	Settings  map[string]string `yaml:"settings,omitempty" json:"settings,omitempty" jsonschema_description:"fixed settings in the common vocabulary"`
	Knobs     map[string]string `yaml:"knobs,omitempty" json:"knobs,omitempty" jsonschema_description:"settable settings: the text to put in place of ${knobs} or ${knob.NAME}; ${value} is the value, ${value.ms} a duration in milliseconds; ${tls.cert} ${tls.key} ${tls.ca} are PEM files"`
	Telemetry TelemetrySpec     `yaml:"telemetry,omitempty" json:"telemetry,omitzero"`
	Accept    []Accept          `yaml:"accept,omitempty" json:"accept,omitempty" jsonschema_description:"known failures that do not fail a run until a date"`
}

// A File is copied from beside the target file into the instance's directory.
type File struct {
	From    string            `yaml:"from" json:"from" jsonschema_description:"a path beside the target file"`
	To      string            `yaml:"to,omitempty" json:"to,omitempty" jsonschema_description:"a path within ${dir}; the same name by default"`
	Replace map[string]string `yaml:"replace,omitempty" json:"replace,omitempty" jsonschema_description:"text that stands in the file: what to put in its place"`
}

// FixedBackends are addresses the backends must listen on, or real backends. A
// proxy at a url with neither is judged by what its clients see alone.
type FixedBackends struct {
	Listen []string `yaml:"listen,omitempty" json:"listen,omitempty" jsonschema_description:"host:port of each scripted backend, for a proxy that cannot be told others"`
	Tap    []Tap    `yaml:"tap,omitempty" json:"tap,omitempty" jsonschema_description:"real backends, each with a tap before it"`
}

// A Tap is a real backend, which is not ours, and where the proxy finds the relay
// that keeps its book.
type Tap struct {
	Listen string `yaml:"listen,omitempty" json:"listen,omitempty" jsonschema_description:"host:port; a free port on loopback by default, for a proxy that is told by ${backend.N}"`
	To     string `yaml:"to" json:"to" jsonschema_description:"host:port of the real backend"`
}

// RequestSpec is what every request to the target needs.
type RequestSpec struct {
	Host    string            `yaml:"host,omitempty" json:"host,omitempty"`
	Prefix  string            `yaml:"prefix,omitempty" json:"prefix,omitempty" jsonschema:"pattern=^/.*[^/]$" jsonschema_description:"goes before every path, such as /api"`
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty" jsonschema_description:"${env:NAME} reads the environment"`
	CA      string            `yaml:"ca,omitempty" json:"ca,omitempty" jsonschema_description:"with an https url: PEM file beside this one of who vouches for it; the system's authorities by default"`
}

// ReadySpec says when the target serves.
type ReadySpec struct {
	Request string         `yaml:"request,omitempty" json:"request,omitempty" jsonschema:"pattern=^/" jsonschema_description:"a path; any answer but 502 503 504 means ready"`
	Connect bool           `yaml:"connect,omitempty" json:"connect,omitempty" jsonschema_description:"an accepted connection is enough"`
	Timeout units.Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
}

// Accept is a known failure with a reason and a date on which it ends.
type Accept struct {
	Scenario string `yaml:"scenario" json:"scenario" jsonschema_description:"its id"`
	Because  string `yaml:"because" json:"because" jsonschema_description:"why its failure is tolerated"`
	Until    string `yaml:"until" json:"until" jsonschema:"pattern=^[0-9]{4}-[0-9]{2}-[0-9]{2}$" jsonschema_description:"the last day, such as 2027-01-31"`
}
