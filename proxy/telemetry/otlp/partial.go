package otlp

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// partial reads the answer to an export of any signal: its partial_success (1)
// counts what was rejected (1) and may say why (2).
func partial(signal Signal, answer []byte) error {
	var rejected uint64
	var why []byte
	fields(answer, func(n protowire.Number, _ uint64, success []byte) {
		if n != 1 {
			return
		}
		fields(success, func(n protowire.Number, number uint64, text []byte) {
			switch n {
			case 1:
				rejected = number
			case 2:
				why = text
			default:
			}
		})
	})
	if rejected > 0 {
		return &Error{Rejected: int(min(rejected, 1<<30)), Err: fmt.Errorf("export %s: %w: %d of them: %s", signal, ErrRefused, rejected, why)}
	}
	return nil
}

// fields gives f each field of a message: its number or its bytes.
func fields(message []byte, f func(n protowire.Number, number uint64, text []byte)) {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return
		}
		message = message[size:]
		if size = protowire.ConsumeFieldValue(n, kind, message); size < 0 {
			return
		}
		number, _ := protowire.ConsumeVarint(message)
		text, _ := protowire.ConsumeBytes(message)
		f(n, number, text)
		message = message[size:]
	}
}
