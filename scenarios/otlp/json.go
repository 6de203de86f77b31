package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// fromJSON reads OTLP/JSON, which differs from protobuf's JSON in one point:
// trace and span ids are hexadecimal, not base64.
func fromJSON(raw []byte, into *collector.ExportTraceServiceRequest) error {
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return err
	}
	rewrite(tree)
	text, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(text, into)
}

// rewrite turns every id in the tree from hexadecimal into base64.
func rewrite(tree any) {
	switch t := tree.(type) {
	case []any:
		for _, v := range t {
			rewrite(v)
		}
	case map[string]any:
		for k, v := range t {
			if text, ok := v.(string); ok && (k == "traceId" || k == "spanId" || k == "parentSpanId") {
				if id, err := hex.DecodeString(text); err == nil {
					t[k] = base64.StdEncoding.EncodeToString(id)
				}
				continue
			}
			rewrite(v)
		}
	}
}
