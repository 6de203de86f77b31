package config

import (
	"fmt"
	"regexp"
	"time"
)

// Log shapes the lines of the access log and of the proxy's own.
type Log struct {
	// Level is the least that the proxy's own log has: debug, info, warn or
	// error.
	Level string `yaml:"level"`
	// Query puts the query into the access log, masked.
	Query    bool        `yaml:"query"`
	Mask     Mask        `yaml:"mask"`
	Sampling LogSampling `yaml:"sampling"`
}

// Mask says what must not be read in logs; patterns apply to spans, too.
type Mask struct {
	// Headers are those of log_headers that are logged as ***.
	Headers []string `yaml:"headers"`
	// Query are parameters whose values are logged as ***, in any case.
	Query []string `yaml:"query"`
	// Patterns are phone (11 digits, as 138****5678), email (as u***@ex.com)
	// and regular expressions (RE2) of what is logged as ***.
	Patterns []string `yaml:"patterns"`
}

// LogSampling says which lines below error level are written; those of errors
// always are.
type LogSampling struct {
	// Info and Warn are the shares of lines of these levels, 0 to 1, by trace
	// id. A line of no trace is written.
	Info float64 `yaml:"info"`
	Warn float64 `yaml:"warn"`
	// Rate is how many lines of one log are written in a second. Zero sets no
	// bound.
	Rate int `yaml:"rate"`
}

const maxMasked = 32 // of each kind

func (l *Log) check(k *checker) {
	const at = "telemetry.log"
	oneOf(k, at+".level", l.Level, "debug", "info", "warn", "error")
	number(k, at+".sampling.info", l.Sampling.Info, 0, 1)
	number(k, at+".sampling.warn", l.Sampling.Warn, 0, 1)
	number(k, at+".sampling.rate", l.Sampling.Rate, 0, int(time.Second/time.Microsecond))
	each := func(path string, list []string, want string, good func(string) bool) {
		if len(list) > maxMasked {
			k.add(path, fmt.Sprintf("%d of them", len(list)), fmt.Sprintf("at most %d", maxMasked))
		}
		for i, s := range list {
			if !good(s) {
				k.add(fmt.Sprintf("%s[%d]", path, i), quote(s), want)
			}
		}
	}
	each(at+".mask.headers", l.Mask.Headers, "a header name", isToken)
	each(at+".mask.query", l.Mask.Query, "a parameter name", func(s string) bool { return s != "" })
	each(at+".mask.patterns", l.Mask.Patterns, "phone, email or a regular expression (RE2) that does not match nothing", func(s string) bool {
		find, err := regexp.Compile(s)
		return err == nil && !find.MatchString("")
	})
}
