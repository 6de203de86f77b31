package audit

import (
	"gauntlet/scenarios/evidence"
)

// newLog makes a Log that reads lines as fields says.
func newLog(fields evidence.Fields) *Log {
	l := &Log{unit: 1e6} // the usual name is duration_ms
	if fields == (evidence.Fields{}) {
		return l
	}
	l.words = map[string]field{}
	for _, f := range []struct {
		name string
		is   field
	}{
		{fields.Status, statusField},
		{fields.Method, methodField},
		{fields.Route, routeField},
		{fields.Trace, traceField},
		{fields.Span, spanField},
		{fields.Failed, failedField},
		{fields.Bytes, bytesField},
		{fields.Duration, durationField},
	} {
		if f.name != "" {
			l.words[f.name] = f.is
		}
	}
	if fields.Duration != "" {
		l.unit = 1e9 * inSeconds(fields.Unit)
	}
	return l
}

// field says what a key stands for. A meaning that a target file gives to one
// name no other name has.
func (l *Log) field(key []byte) field {
	if l.words == nil {
		return fieldOf(key)
	}
	if f, ok := l.words[string(key)]; ok {
		return f
	}
	usual := fieldOf(key)
	for _, given := range l.words {
		if given == usual {
			return 0
		}
	}
	return usual
}

// maxRoutes bounds the routes that a log is known to name.
const maxRoutes = 1000

// route gives a route without keeping the line; "" beyond the bound.
func (l *Log) route(value []byte) string {
	if known, ok := l.routes[string(value)]; ok || len(l.routes) == maxRoutes {
		return known
	}
	if l.routes == nil {
		l.routes = map[string]string{}
	}
	route := string(value)
	l.routes[route] = route
	return route
}
