package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
)

// EarlyAnswer answers a request with Status, 503 unless it says so, as soon as
// its head is there, and ends the connection behind the answer; the body is not
// waited for and the backend sees nothing of what had not passed yet. A request
// behind one that has no answer yet is left alone.
type EarlyAnswer struct {
	Status int `json:"status,omitempty"`
}

// Begin implements Fault.
func (EarlyAnswer) Begin(*rand.Rand) Stream { return through{} }

// Reply implements ReplyFault.
func (f EarlyAnswer) Reply(method string) []byte {
	const text = "answered early by a fault\n"
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", f.status(), http.StatusText(f.status()), len(text))
	if method == http.MethodHead {
		return []byte(head)
	}
	return []byte(head + text)
}

func (f EarlyAnswer) status() int {
	if f.Status == 0 {
		return http.StatusServiceUnavailable
	}
	return f.Status
}

func (f EarlyAnswer) String() string { return fmt.Sprintf("early-answer(%d)", f.status()) }

func (f EarlyAnswer) check() error {
	if s := f.status(); s < 400 || s > 599 {
		return fmt.Errorf("found status %d; allowed: 400 to 599, so that nobody takes it for a success", s)
	}
	return nil
}

func (f EarlyAnswer) spelling() any {
	if f.Status == 0 {
		return "early-answer"
	}
	return map[string]any{"early-answer": f}
}
