package render

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"gauntlet/reports"
)

// The elements in the order and with the attributes on which the schemas in
// use agree (Ant's and Jenkins's), so that a strict reader takes the file.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		ID         int        `xml:"id,attr"`
		Package    string     `xml:"package,attr"`
		Name       string     `xml:"name,attr"`
		Hostname   string     `xml:"hostname,attr"`
		Timestamp  string     `xml:"timestamp,attr"`
		Time       string     `xml:"time,attr"`
		Tests      int        `xml:"tests,attr"`
		Failures   int        `xml:"failures,attr"`
		Errors     int        `xml:"errors,attr"`
		Skipped    int        `xml:"skipped,attr"`
		Properties []junitKV  `xml:"properties>property"`
		Cases      []junitRun `xml:"testcase"`
		Out        string     `xml:"system-out"`
		Err        string     `xml:"system-err"`
	}
	junitKV struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitRun struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Time    string      `xml:"time,attr"`
		Skipped *junitCause `xml:"skipped"`
		Error   *junitCause `xml:"error"`
		Failure *junitCause `xml:"failure"`
	}
	junitCause struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a test suite per scenario and a test case per case of it. A
// failed case is a failure, one that could not be judged an error, one the
// target cannot do skipped; exposed ones pass and say so in system-out, unless
// strict.
func JUnit(w io.Writer, r *reports.Report, o Options) error {
	var all junitSuites
	for i, s := range r.Scenarios {
		all.Suites = append(all.Suites, suiteOf(r, s, i, o.Strict))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func suiteOf(r *reports.Report, s reports.Scenario, id int, strict bool) junitSuite {
	family, _, _ := strings.Cut(s.ID, "/")
	suite := junitSuite{
		ID: id, Package: family, Name: s.ID, Hostname: "localhost", Time: decimal(s.Seconds),
		Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitKV{
			{"target", strings.TrimSpace(r.Target.Name + " " + r.Target.Version)},
			{"level", s.Level},
			{"seed", fmt.Sprint(r.Seed)},
			{"evidence", r.Evidence},
			{"ledger", line(groups(s.Ledger, failedAs(s), s.Outside))},
		},
	}
	var warnings []string
	for _, c := range runsOf(s) {
		cause := causeOf(s, c)
		run := junitRun{Class: strings.ReplaceAll(s.ID, "/", "."), Name: cmp.Or(c.Name, s.ID), Time: decimal(c.Seconds)}
		switch {
		case c.Verdict == reports.Unsupported:
			run.Skipped = &junitCause{Message: cause.Message}
			suite.Skipped++
		case c.Verdict == reports.Invalid:
			run.Error = cause
			suite.Errors++
		case c.Verdict == reports.Pass:
		case strict, c.Verdict == reports.Fail && s.Accepted == "":
			run.Failure = cause
			suite.Failures++
		default:
			warnings = append(warnings, run.Name+": "+cause.Message+"\n"+cause.Text)
		}
		suite.Cases = append(suite.Cases, run)
	}
	suite.Tests, suite.Out = len(suite.Cases), strings.Join(warnings, "\n")
	return suite
}
