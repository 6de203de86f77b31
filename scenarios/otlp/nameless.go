package otlp

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// whyNameless is what an exporter is told of the spans that are not kept.
const whyNameless = "a span needs a trace id of 16 bytes and a span id of 8 (OpenTelemetry protocol, trace.proto)"

// nameless counts the spans of an export that have no proper ids: nobody could
// ever find them, so they are rejected and the others kept (OTLP specification,
// "Partial Success").
func nameless(export []byte) (n int64) {
	count := within(2, func(scope []byte) error {
		return each(scope, within(2, func(span []byte) error {
			if !named(span) {
				n++
			}
			return nil
		}))
	})
	_ = each(export, within(1, func(resource []byte) error { return each(resource, count) })) // it was decoded before
	return n
}

// named reports whether a span has the ids that it must have.
func named(span []byte) bool {
	var trace, id bool
	err := each(span, func(field protowire.Number, b []byte, _ uint64) error {
		switch int(field) {
		case 1:
			trace = len(b) == 16
		case 2:
			id = len(b) == 8
		}
		return nil
	})
	return err == nil && trace && id
}
