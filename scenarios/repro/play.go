package repro

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"gauntlet/fixtures/script"
	"gauntlet/scenarios"
)

// A step is one act of the program's, in its own words; see program.go.txt.
type step struct {
	Do      string      `json:"do"`
	Until   string      `json:"until,omitempty"`
	Bytes   []byte      `json:"bytes,omitempty"`
	Status  int         `json:"status,omitempty"`
	Method  string      `json:"method,omitempty"`
	Path    string      `json:"path,omitempty"`
	Headers [][2]string `json:"headers,omitempty"`
	Size    int         `json:"size,omitempty"`
	Length  *int        `json:"length,omitempty"`
	Chunked bool        `json:"chunked,omitempty"`
	Open    bool        `json:"open,omitempty"`
	Mute    bool        `json:"mute,omitempty"`
	Close   bool        `json:"close,omitempty"`
}

type rule struct {
	Connection int    `json:"connection,omitempty"`
	Request    int    `json:"request,omitempty"`
	Do         []step `json:"do"`
}

// A play is what the program plays.
type play struct {
	Exchange uint64 `json:"exchange"`
	Recorded string `json:"recorded"`
	Backend  []rule `json:"backend"`
	Client   []step `json:"client"`
}

// unplayable says what the program has no words for.
type unplayable string

func (u unplayable) Error() string { return string(u) }

// stage turns a case into what the program plays, or says why it cannot.
func stage(c *scenarios.Case) (*play, error) {
	s := &c.Scenario
	switch {
	case len(s.Clients) != 1 || s.Clients[0].Times > 1 || s.Clients[0].Loop != nil:
		return nil, unplayable("several clients, or one that repeats itself")
	case len(s.Load) > 0:
		return nil, unplayable("a load")
	case len(s.Faults) > 0 || len(s.Actions) > 0:
		return nil, unplayable("faults or actions")
	case len(s.Backends) != 1 || s.Backends[0].Count > 1:
		return nil, unplayable("several backends")
	case s.Backends[0].TLS != nil || s.Clients[0].TLS != nil || s.Clients[0].Protocol == string(script.H2) || s.Backends[0].Protocol == script.H2:
		return nil, unplayable("TLS or HTTP/2")
	}
	p := &play{}
	for _, r := range s.Backends[0].Script {
		one, err := condition(r.When)
		if err != nil {
			return nil, err
		}
		if one.Do, err = acts(r.Do); err != nil {
			return nil, err
		}
		p.Backend = append(p.Backend, one)
	}
	var err error
	p.Client, err = acts(s.Clients[0].Do)
	return p, err
}

var counts = regexp.MustCompile(`^(connection|request) == (\d+)$`)

// condition reads the conditions that count connections and requests.
func condition(when string) (rule, error) {
	var r rule
	for part := range strings.SplitSeq(when, " && ") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		found := counts.FindStringSubmatch(part)
		if found == nil {
			return r, unplayable("the condition " + when)
		}
		n, err := strconv.Atoi(found[2])
		if err != nil || n == 0 {
			return r, unplayable("the condition " + when)
		}
		if found[1] == "connection" {
			r.Connection = n
		} else {
			r.Request = n
		}
	}
	return r, nil
}

func acts(steps []script.Step) ([]step, error) {
	var list []step
	for _, s := range script.Flatten(steps) {
		one, err := act(&s)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func act(s *script.Step) (step, error) {
	switch {
	case s.Read != nil:
		r := s.Read
		switch r.Until {
		case script.UntilAny, script.UntilHead, script.UntilRequest:
		default:
			return step{}, unplayable("read: " + string(r.Until))
		}
		return step{Do: "read", Until: string(r.Until)}, nil
	case s.Respond != nil:
		return respond(s.Respond)
	case s.Send != nil:
		return send(s.Send)
	case s.Receive != nil:
		if u := s.Receive.Until; u != "" && u != script.UntilEnd {
			return step{}, unplayable("receive: " + string(u))
		}
		return step{Do: "receive"}, nil
	case s.Write != nil && s.As == "":
		return write(s.Write)
	case s.Fin:
		return step{Do: "fin"}, nil
	case s.Close:
		return step{Do: "close"}, nil
	case s.Rst:
		return step{Do: "rst"}, nil
	case s.Stall:
		return step{Do: "stall"}, nil
	}
	return step{}, unplayable("the step " + s.Kind())
}

func respond(r *script.Respond) (step, error) {
	if r.After > 0 || len(r.Interim) > 0 || len(r.Trailers) > 0 || r.Body != nil && r.Body.Pace > 0 {
		return step{}, unplayable("an answer with pauses, interim answers or trailers")
	}
	one := step{Do: "respond", Status: r.Status, Headers: fields(r.Headers), Chunked: r.Chunked, Open: !r.Ends(), Mute: !r.Echoes(), Close: r.Close}
	if one.Status == 0 {
		one.Status = http.StatusOK
	}
	switch {
	case r.Body != nil:
		one.Size = int(r.Body.Size)
	case r.Ends():
		one.Size = int(script.DefaultBody)
	}
	if r.Length != nil {
		n := int(*r.Length)
		one.Length = &n
	}
	return one, nil
}

func send(s *script.Send) (step, error) {
	if s.Expect || s.Cut != nil || s.Tail != "" || len(s.Trailers) > 0 || s.Ask != nil || s.Version == "1.0" || !s.Identified() {
		return step{}, unplayable("a request that is cut, asks, expects, or carries trailers or no id")
	}
	one := step{Do: "send", Method: s.Method, Path: s.Path, Headers: fields(s.Headers)}
	if one.Method == "" {
		one.Method = http.MethodGet
	}
	if one.Path == "" {
		one.Path = "/"
	}
	if s.Host != "" || s.Body != nil && s.Body.Pace > 0 {
		return step{}, unplayable("a host of its own, or a body at a pace")
	}
	if s.Body != nil {
		one.Size, one.Chunked = int(s.Body.Size), s.Body.Chunked
	}
	if s.Key {
		one.Headers = append(one.Headers, [2]string{"Idempotency-Key", "repro"})
	}
	return one, nil
}

func write(w *script.Write) (step, error) {
	if w.Pattern > 0 || len(w.Split) > 0 || w.Every > 0 || strings.Contains(w.Text, "${") {
		return step{}, unplayable("bytes of a pattern, or in pieces")
	}
	raw := []byte(w.Text)
	if w.Hex != "" {
		var err error
		if raw, err = hex.DecodeString(w.Hex); err != nil {
			return step{}, fmt.Errorf("write: %w", err)
		}
	}
	return step{Do: "write", Bytes: raw}, nil
}

func fields(hs script.Headers) (list [][2]string) {
	for _, h := range hs {
		list = append(list, [2]string{h.Name, h.Value})
	}
	return list
}
