package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// unhex mends the ids of a message that came as JSON: OTLP writes trace and
// span ids in hex, where the JSON mapping of protobuf reads base64
// (OTLP specification, "JSON Protobuf Encoding"). Hex digits are base64 digits,
// so what was read leads back to what was written.
func unhex(m protoreflect.Message) (err error) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
		case f.Kind() == protoreflect.MessageKind && f.IsList():
			for i := range v.List().Len() {
				if err = unhex(v.List().Get(i).Message()); err != nil {
					return false
				}
			}
		case f.Kind() == protoreflect.MessageKind:
			err = unhex(v.Message())
		case f.Kind() == protoreflect.BytesKind && isID(f.Name()) && !f.IsList():
			var raw []byte
			text := base64.StdEncoding.EncodeToString(v.Bytes())
			if raw, err = hex.DecodeString(text); err != nil {
				err = fmt.Errorf("%s: %.60q is not hex", f.Name(), text)
				break
			}
			m.Set(f, protoreflect.ValueOfBytes(raw))
		}
		return err == nil
	})
	return err
}

func isID(name protoreflect.Name) bool {
	return name == "trace_id" || name == "span_id" || name == "parent_span_id"
}
