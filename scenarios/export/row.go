package export

import (
	"encoding/hex"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
)

// Schema names this version of Row. Columns may be added under the same name;
// one that changes its meaning needs a new name.
const Schema = "gauntlet.exchanges/v1"

// A Row is one exchange that was sent. Moments are microseconds of Unix time,
// as the client's clock says. What never happened is 0 or "", which is null in
// Parquet and empty in CSV; only counts of bytes and attempts are truly 0.
type Row struct {
	Run           string `parquet:"run,dict"` // 16 hexadecimal digits, see reports.RunID
	Target        string `parquet:"target,dict"`
	TargetVersion string `parquet:"target_version,dict,optional"`
	Scenario      string `parquet:"scenario,dict"`
	Case          string `parquet:"case_name,dict"` // "default" where nothing varies
	Repetition    int32  `parquet:"repetition"`     // from 1
	Exchange      string `parquet:"exchange_id"`    // as gauntlet trace takes it
	Trace         string `parquet:"trace_id"`       // 32 hexadecimal digits
	Client        string `parquet:"client,dict,optional"`
	Load          bool   `parquet:"is_load"` // that client is a load: it began when it was planned
	Protocol      string `parquet:"protocol,dict"`
	Method        string `parquet:"method,dict"` // OTHER where it is none of RFC 9110's or PATCH
	Status        int32  `parquet:"status,optional"`
	EndedBy       string `parquet:"ended_by,dict"` // how the client saw it end: length, last-chunk, cut, reset, …
	Outcome       string `parquet:"outcome,dict"`
	Rule          string `parquet:"rule,dict"` // short and stable name of what decided
	Avoidable     bool   `parquet:"avoidable"` // an honest failure that a correct proxy would have served
	Unavoidable   bool   `parquet:"unavoidable"`
	Intended      int64  `parquet:"intended_at,optional,timestamp(microsecond)"`
	Started       int64  `parquet:"started_at,timestamp(microsecond)"`
	FirstByte     int64  `parquet:"first_byte_at,optional,timestamp(microsecond)"`
	Ended         int64  `parquet:"ended_at,optional,timestamp(microsecond)"`
	BytesUp       int64  `parquet:"bytes_up"`   // of the request's body that the client wrote
	BytesDown     int64  `parquet:"bytes_down"` // of the answer's body that the client read
	Attempts      int32  `parquet:"attempts"`   // sightings at backends
	Backend       int32  `parquet:"backend,optional"`
	BackendConn   int64  `parquet:"backend_connection,optional"` // of that backend, from 1
	Conn          int64  `parquet:"connection"`                  // the client's, from 1 in its case
	Nth           int64  `parquet:"connection_request"`          // number of the request on it, from 1
}

// of gives the row of an exchange; r holds what it shares with its neighbours.
func (r Row) of(facts *evidence.Case, x *ledger.Exchange) Row {
	c := x.Client
	id := exchange.ID{Run: facts.Run, Seq: x.Seq}
	trace := id.TraceID()
	r.Exchange, r.Trace = id.String(), hex.EncodeToString(trace[:])
	if int(c.Group) < len(facts.Groups) {
		g := facts.Groups[c.Group]
		r.Client, r.Load = g.Name, g.Load
	}
	r.Protocol = protocol(c.Flags)
	r.Method, r.Status, r.EndedBy = c.Method.String(), int32(c.Status), c.End.String()
	r.Outcome, r.Rule, r.Avoidable, r.Unavoidable = x.Outcome.String(), x.Rule, x.Avoidable, x.Unavoidable
	r.Intended, r.Started, r.FirstByte, r.Ended = micros(c.Intended), micros(c.Started), micros(c.FirstByte), micros(c.Ended)
	r.BytesUp, r.BytesDown = c.ReqSent, c.RespBytes
	r.Attempts = int32(len(x.Attempts))
	if len(x.Attempts) > 0 { // the last one is who answered, or who should have
		a := x.Attempts[len(x.Attempts)-1].Arrival
		r.Backend, r.BackendConn = int32(a.Backend), int64(a.Conn)
	}
	r.Conn, r.Nth = int64(c.Conn), int64(c.Nth)
	return r
}

// protocol names what the client spoke.
func protocol(f book.ClientFlags) string {
	switch {
	case f&book.H2 != 0:
		return "HTTP/2"
	case f&book.OldClient != 0:
		return "HTTP/1.0"
	default:
		return "HTTP/1.1"
	}
}

// micros are microseconds of Unix time; 0 for what never happened.
func micros(ns int64) int64 { return max(ns, 0) / 1000 }
