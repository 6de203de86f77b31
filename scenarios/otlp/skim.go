package otlp

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// skimmer reads exports field by field, without making messages of them: a
// load of a hundred thousand exchanges leaves two hundred thousand spans with
// fifteen attributes each.
type skimmer struct {
	run   uint64
	into  *Briefs
	names map[string]string
}

// each calls visit for every field of a message: bytes for those of variable
// length, the number for the others.
func each(msg []byte, visit func(field protowire.Number, b []byte, n uint64) error) error {
	for len(msg) > 0 {
		field, kind, size := protowire.ConsumeTag(msg)
		if size < 0 {
			return fmt.Errorf("%w: %w", ErrFormat, protowire.ParseError(size))
		}
		msg = msg[size:]
		var b []byte
		var n uint64
		switch kind {
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(msg)
		case protowire.Fixed64Type:
			n, size = protowire.ConsumeFixed64(msg)
		case protowire.BytesType:
			b, size = protowire.ConsumeBytes(msg)
		default:
			size = protowire.ConsumeFieldValue(field, kind, msg)
		}
		if size < 0 {
			return fmt.Errorf("%w: %w", ErrFormat, protowire.ParseError(size))
		}
		msg = msg[size:]
		if err := visit(field, b, n); err != nil {
			return err
		}
	}
	return nil
}

// within gives a visitor that goes on into the submessages of one field.
func within(field protowire.Number, visit func([]byte) error) func(protowire.Number, []byte, uint64) error {
	return func(f protowire.Number, b []byte, _ uint64) error {
		if f != field {
			return nil
		}
		return visit(b)
	}
}

// export reads an ExportTraceServiceRequest (opentelemetry-proto, trace.proto).
func (s *skimmer) export(msg []byte) error {
	return each(msg, within(1, func(resource []byte) error {
		return each(resource, within(2, func(scope []byte) error {
			return each(scope, within(2, s.span))
		}))
	}))
}

func (s *skimmer) span(msg []byte) error {
	if !named(msg) {
		return nil
	}
	var b Brief
	err := each(msg, func(field protowire.Number, raw []byte, n uint64) error {
		switch int(field) {
		case 1:
			copy(b.Trace[:], raw)
		case 2:
			copy(b.ID[:], raw)
		case 4:
			copy(b.Parent[:], raw)
		case 6:
			b.Kind = Kind(n)
		case 7:
			b.Start = int64(n)
		case 8:
			b.End = int64(n)
		case 9:
			return s.attribute(&b, raw)
		case 11:
			return each(raw, within(2, func(name []byte) error {
				b.events = append(b.events, s.held(name))
				return nil
			}))
		case 15:
			return each(raw, func(field protowire.Number, _ []byte, n uint64) error {
				if field == 3 {
					b.Status = Status(n)
				}
				return nil
			})
		}
		return nil
	})
	if seq, ok := seqOf(b.Trace, s.run); ok {
		b.Seq = seq
	}
	s.into.List = append(s.into.List, b)
	return err
}

func (s *skimmer) attribute(b *Brief, msg []byte) error {
	var key, text []byte
	var number int
	err := each(msg, func(field protowire.Number, raw []byte, _ uint64) error {
		if field == 1 {
			key = raw
			return nil
		}
		return each(raw, func(field protowire.Number, raw []byte, n uint64) error {
			switch int(field) {
			case 1:
				text = raw
			case 2, 3: // a bool or an int
				number = int(n)
			}
			return nil
		})
	})
	switch string(key) {
	case attrCode:
		b.Code = number
	case attrResend:
		b.Resend = number
	case attrMethod:
		b.Method = s.held(text)
	case attrRoute:
		b.Route = s.held(text)
	case attrErrorType:
		b.ErrorType = s.held(text)
	case attrClass:
		b.Class = s.held(text)
	case attrPhase:
		b.Phase = s.held(text)
	case attrReason:
		b.Reason = s.held(text)
	case attrAborted:
		b.Aborted = number != 0
	case attrAddress:
		b.address = s.held(text)
	case attrPort:
		b.port = number
	case attrPeer:
		b.peer = s.held(text)
	case attrPeerPort:
		b.peerPort = number
	}
	return err
}

// held gives a text that is held once.
func (s *skimmer) held(text []byte) string {
	if t, ok := s.names[string(text)]; ok {
		return t
	}
	t := string(text)
	if len(s.names) < maxNames {
		s.names[t] = t
	}
	return t
}
