package evidence

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Dir is the directory of one run:
//
//	run.json                              what was run, on what, from which seed
//	scenarios/FAMILY/NAME.yaml            each scenario as it was read
//	cases/FAMILY/NAME/SLUG/               one case
//	    case.json                         facts
//	    client.book backend-N.book faults.book spans.otlp
//	    metrics-before.pb metrics-after.pb
//	    target/                           the target's own files and logs
//	report.json report.html …             the judgement, which can be made again
type Dir string

// ErrIncomplete is wrapped when a file of the evidence is absent.
var ErrIncomplete = errors.New("evidence is missing")

// Run is run.json.
type Run struct {
	Schema string    `json:"schema"`
	Target RunTarget `json:"target"`
	// TargetArgument is what --target was given, to repeat the run.
	TargetArgument string            `json:"target_argument,omitempty"`
	Seed           uint64            `json:"seed,string"`
	Started        string            `json:"started"` // RFC 3339
	Seconds        float64           `json:"seconds"`
	Command        string            `json:"command"` // as a user would repeat it
	Backends       string            `json:"backends"`
	Tier           Tier              `json:"tier,omitempty"` // ClientBackend when it is not said
	Strict         bool              `json:"strict"`
	Interrupted    bool              `json:"interrupted"` // ended before every case had run
	Cases          []CaseRef         `json:"cases"`       // planned, in order
	Accept         []Accepted        `json:"accept,omitempty"`
	Files          map[string]string `json:"files,omitempty"` // scenario id → its file, of those outside the catalogue
	Environment    map[string]string `json:"environment"`
}

// Embedded says in Run.Backends that backends ran in the harness's own process.
const Embedded = "embedded"

// RunCommand is what begins the commands that Repeat gives.
const RunCommand = "gauntlet run "

// Repeat is the command that runs the scenarios, as selectors name them, again
// on the same target, from the seed.
func (r *Run) Repeat(selectors string, seed uint64) string {
	command := RunCommand + selectors + " --target " + cmp.Or(r.TargetArgument, r.Target.Name)
	if r.Backends != "" && r.Backends != Embedded {
		command += " --backends " + r.Backends
	}
	return command + " --seed " + strconv.FormatUint(seed, 10)
}

// RunSchema names this version of Run.
const RunSchema = "gauntlet.run/v1"

// RunTarget names the proxy under test.
type RunTarget struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	ConfigSHA256 string `json:"config_sha256"`
}

// CaseRef names a planned case.
type CaseRef struct {
	Scenario   string `json:"scenario"`
	Slug       string `json:"slug"`
	Repetition int    `json:"repetition"`
}

// Accepted is a known failure the target file asks to be tolerated.
type Accepted struct {
	Scenario string `json:"scenario"`
	Because  string `json:"because"`
	Until    string `json:"until"`
}

// Path is the case's directory below the run's.
func (c CaseRef) Path() string {
	name := c.Slug
	if c.Repetition > 1 {
		name += "#" + strconv.Itoa(c.Repetition)
	}
	return filepath.Join("cases", filepath.FromSlash(c.Scenario), name)
}

// Case is the directory of a case.
func (d Dir) Case(c CaseRef) string { return filepath.Join(string(d), c.Path()) }

// Scenario is the path of a scenario's own file.
func (d Dir) Scenario(id string) string {
	return filepath.Join(string(d), "scenarios", filepath.FromSlash(id)+".yaml")
}

// SaveScenario keeps the scenario as it was read.
func (d Dir) SaveScenario(id string, text []byte) error {
	path := d.Scenario(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep scenario: %w", err)
	}
	return write(path, text)
}

// SaveRun writes run.json.
func (d Dir) SaveRun(r *Run) error { return save(filepath.Join(string(d), "run.json"), r) }

// LoadRun reads run.json.
func (d Dir) LoadRun() (*Run, error) {
	r := new(Run)
	if err := load(filepath.Join(string(d), "run.json"), RunSchema, r); err != nil {
		return nil, err
	}
	return r, nil
}

// SaveCase writes a case's facts.
func (d Dir) SaveCase(c *Case) error {
	return save(filepath.Join(d.Case(c.Ref()), "case.json"), c)
}

// LoadCase reads a case's facts. One that never ran is ErrIncomplete.
func (d Dir) LoadCase(ref CaseRef) (*Case, error) {
	c := new(Case)
	if err := load(filepath.Join(d.Case(ref), "case.json"), CaseSchema, c); err != nil {
		return nil, err
	}
	return c, nil
}

// Ref names the case.
func (c *Case) Ref() CaseRef {
	return CaseRef{Scenario: c.Scenario, Slug: c.Slug, Repetition: c.Repetition}
}

// ClientBook is the path of a case's client book.
func (d Dir) ClientBook(c CaseRef) string { return filepath.Join(d.Case(c), "client.book") }

// FaultBook is the path of a case's fault receipts.
func (d Dir) FaultBook(c CaseRef) string { return filepath.Join(d.Case(c), "faults.book") }

// BackendBook is the path of backend n's book, from 1.
func (d Dir) BackendBook(c CaseRef, n int) string {
	return filepath.Join(d.Case(c), "backend-"+strconv.Itoa(n)+".book")
}

// BackendBookOf is the path of the book of backend n's life, both from 1: it begins
// another one each time it is started.
func (d Dir) BackendBookOf(c CaseRef, n, life int) string {
	if life == 1 {
		return d.BackendBook(c, n)
	}
	return filepath.Join(d.Case(c), fmt.Sprintf("backend-%d.%d.book", n, life))
}

// Spans is the path of the spans received.
func (d Dir) Spans(c CaseRef) string { return filepath.Join(d.Case(c), "spans.otlp") }

// Metrics is the path of a scrape of the target, "before" the clients began or
// "after" they had ended: delimited messages of io.prometheus.client.
func (d Dir) Metrics(c CaseRef, when string) string {
	return filepath.Join(d.Case(c), "metrics-"+when+".pb")
}

// Target is the directory where the target's instance lived.
func (d Dir) Target(c CaseRef) string { return filepath.Join(d.Case(c), "target") }

func save(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return write(path, append(text, '\n'))
}

// write replaces the file whole, so that an interrupted run leaves no half.
func write(path string, text []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, text, 0o644); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}

func load[T any](path, schema string, v *T) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrIncomplete, path)
	}
	if err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("read evidence %s: %w", path, err)
	}
	if head.Schema != schema {
		return fmt.Errorf("read evidence %s: schema is %q; this version reads %q", path, head.Schema, schema)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("read evidence %s: %w", path, err)
	}
	return nil
}

// Secrets are header names whose values evidence never holds.
var Secrets = []string{"authorization", "cookie", "set-cookie", "proxy-authorization"}

// Redact gives "[redacted]" for the value of a secret header.
func Redact(name, value string) string {
	if slices.Contains(Secrets, strings.ToLower(name)) {
		return "[redacted]"
	}
	return value
}
