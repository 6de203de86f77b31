package audit_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/book"
	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
	"gauntlet/scenarios/otlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	run   = 0x5eed
	start = int64(1_700_000_000_000_000_000)
	ms    = int64(1e6)
)

// A scene is a case on which a truthful target tells everything, to be bent into
// the lie or the ambiguity at hand.
type scene struct {
	facts  audit.Facts
	books  ledger.Books
	spans  otlp.Briefs
	log    audit.Log
	errors audit.Log
	before []*dto.MetricFamily
	after  []*dto.MetricFamily
	pushed bool // metrics and log come by OTLP
}

// at is when exchange seq begins. The target has it 1 ms later, a backend 2 ms
// later; that answers 3 ms later, and 10 ms later it is over.
func at(seq uint64) int64 { return start + int64(seq)*1000*ms }

func trace(seq uint64) [16]byte { return exchange.ID{Run: run, Seq: seq}.TraceID() }

func caller(seq uint64) [8]byte { return exchange.ID{Run: run, Seq: seq}.ClientSpan() }

func spanID(seq uint64, n byte) (id [8]byte) {
	binary.BigEndian.PutUint64(id[:], seq<<8|uint64(n))
	return id
}

// newScene has eight exchanges: 1 to 4 are delivered with 200, 5 is a 503 of the
// backend's, 6 a 502 whose only attempt was refused, 7 a 200 that the target got
// from its second attempt, 8 a 200 that broke off and that the target owns up to.
func newScene() *scene {
	s := &scene{books: ledger.Books{
		Run:      run,
		Client:   &book.Book{Header: book.Header{Kind: book.ClientBook, Run: run}, Sealed: true},
		Backends: []*book.Book{{Header: book.Header{Kind: book.BackendBook, Party: 1, Run: run}, Sealed: true}},
	}}
	for seq := range uint64(8) {
		s.exchange(seq + 1)
	}
	s.client(5).Status, s.span(5, 0).Code, s.span(5, 1).Code, s.line(5).Status = 503, 503, 503, 503
	s.span(5, 0).Status, s.span(5, 1).Status = otlp.Error, otlp.Error
	s.books.Backends[0].Departures[4].Status = 503

	c := s.client(6)
	c.Status, c.Flags = 502, c.Flags&^(book.Echoed|book.Generated)
	s.span(6, 0).Code, s.span(6, 0).Class, s.span(6, 0).Status = 502, "connect_refused", otlp.Error
	s.span(6, 1).Code, s.span(6, 1).ErrorType, s.span(6, 1).Status = 0, "refused", otlp.Error
	s.line(6).Status, s.line(6).Failed = 502, true
	s.unseen(6)

	s.attempt(7, 2)
	s.span(7, 1).ErrorType, s.span(7, 1).Status, s.span(7, 1).Code = "reset", otlp.Error, 0
	first := s.departure(7, 1)
	first.Status, first.Flags, first.End, first.RespBytes, first.FirstByte = 0, book.HeadWhole|book.BodyWhole, book.EndReset, 0, 0

	s.client(8).End, s.client(8).RespBytes = book.EndCut, 10
	s.span(8, 0).Aborted, s.span(8, 0).Class, s.span(8, 0).Status = true, "upstream_truncated", otlp.Error
	s.line(8).Failed = true
	last := s.departure(8, 1)
	last.Flags, last.End, last.RespBytes = last.Flags&^book.AnswerWhole, book.EndCut, 10
	for _, seq := range []uint64{6, 8} {
		s.errors.Lines = append(s.errors.Lines, audit.Line{Seq: seq, Trace: trace(seq), Span: spanID(seq, 0), Traced: true, Failed: true})
	}
	s.facts.Case = &evidence.Case{
		Run: run, Sent: 8, Begin: start, End: at(9), Settings: map[string]string{},
		Target: evidence.Target{
			PID: 7, Traces: true, Exited: at(11), Telemetry: []string{"access_log", "metrics", "traces"},
			Baseline: &evidence.Sample{At: start, Metrics: map[string]float64{"inflight": 0, "pool_leased": 0}},
			Quiet:    &evidence.Sample{At: at(10), Metrics: map[string]float64{"inflight": 0, "pool_leased": 0, "spans_recorded": 17, "spans_exported": 17}},
			Says: evidence.Says{
				Log: "access.log", LogTraces: true,
				Meter: evidence.Meter{Requests: "requests", Duration: "seconds", Method: "method", Code: "code", Class: "error", Attempts: "attempts", Outcome: "outcome"},
			},
		},
	}
	s.spans.Complete = true
	return s
}

func (s *scene) exchange(seq uint64) {
	s.books.Client.Clients = append(s.books.Client.Clients, book.Client{
		Seq: seq, Method: book.GET, End: book.EndLength, Status: 200,
		Flags: book.SentAll | book.Idempotent | book.Echoed | book.Generated | book.WholeHead,
		Conn:  uint32(seq), Nth: 1, LocalPort: uint16(30000 + seq), RespBytes: 64, RespBad: -1, RespSum: seq * 7919,
		Intended: at(seq), Started: at(seq), FirstByte: at(seq) + 4*ms, Ended: at(seq) + 10*ms,
	})
	s.spans.List = append(s.spans.List, otlp.Brief{
		Trace: trace(seq), ID: spanID(seq, 0), Parent: caller(seq), Seq: seq, Kind: otlp.Server,
		Start: at(seq) + ms, End: at(seq) + 10*ms, Code: 200, Method: "GET",
	})
	s.log.Lines = append(s.log.Lines, audit.Line{Seq: seq, Trace: trace(seq), Span: spanID(seq, 0), Traced: true, Status: 200, Method: "GET", Bytes: 64, Sized: true, Took: float64(9 * ms)})
	s.log.Sized, s.log.Timed = s.log.Sized+1, s.log.Timed+1
	s.attempt(seq, 1)
}

// attempt adds the nth attempt of an exchange, which the backend answered.
func (s *scene) attempt(seq uint64, n byte) {
	begin := at(seq) + int64(n)*ms
	s.spans.List = append(s.spans.List, otlp.Brief{
		Trace: trace(seq), ID: spanID(seq, n), Parent: spanID(seq, 0), Seq: seq, Kind: otlp.Client,
		Start: begin, End: begin + 5*ms, Code: 200, Method: "GET", Resend: int(n) - 1,
	})
	b := s.books.Backends[0]
	conn := uint32(len(b.Arrivals) + 1)
	b.Arrivals = append(b.Arrivals, book.Arrival{
		Run: run, Seq: seq, Backend: 1, Conn: conn, Nth: 1, PeerPort: uint16(40000 + conn), Method: book.GET,
		Flags: book.HeadWhole | book.BodyWhole | book.Sampled, Span: spanID(seq, n), Read: 100, ReqBad: -1, Time: begin + ms, Whole: begin + ms,
	})
	b.Departures = append(b.Departures, book.Departure{
		Seq: seq, Backend: 1, Conn: conn, Nth: 1, Status: 200, End: book.EndLength,
		Flags:     book.AnswerBegun | book.AnswerWhole | book.HeadWhole | book.BodyWhole,
		RespBytes: 64, RespBad: -1, RespSum: seq * 7919, ReqBad: -1, FirstByte: begin + 2*ms, Time: begin + 2*ms,
	})
}

func (s *scene) client(seq uint64) *book.Client { return &s.books.Client.Clients[seq-1] }

func (s *scene) line(seq uint64) *audit.Line {
	for i := range s.log.Lines {
		if s.log.Lines[i].Seq == seq {
			return &s.log.Lines[i]
		}
	}
	panic("no line")
}

// span is the server span of an exchange, or its nth attempt's.
func (s *scene) span(seq uint64, n byte) *otlp.Brief {
	for i := range s.spans.List {
		if s.spans.List[i].ID == spanID(seq, n) {
			return &s.spans.List[i]
		}
	}
	panic("no span")
}

func (s *scene) departure(seq uint64, n byte) *book.Departure {
	b := s.books.Backends[0]
	for i := range b.Arrivals {
		if b.Arrivals[i].Span == spanID(seq, n) {
			return &b.Departures[i]
		}
	}
	panic("no departure")
}

// unseen takes what a backend saw of an exchange away.
func (s *scene) unseen(seq uint64) {
	b := s.books.Backends[0]
	for i, a := range slices.Backward(b.Arrivals) {
		if a.Seq == seq {
			b.Arrivals, b.Departures = append(b.Arrivals[:i:i], b.Arrivals[i+1:]...), append(b.Departures[:i:i], b.Departures[i+1:]...)
		}
	}
}

// drop leaves out the spans that match.
func (s *scene) drop(match func(*otlp.Brief) bool) {
	var rest []otlp.Brief
	for i := range s.spans.List {
		if !match(&s.spans.List[i]) {
			rest = append(rest, s.spans.List[i])
		}
	}
	s.spans.List = rest
}

func (s *scene) silent(seq uint64) {
	for i := range s.log.Lines {
		if s.log.Lines[i].Seq == seq {
			s.log.Lines = append(s.log.Lines[:i:i], s.log.Lines[i+1:]...)
			return
		}
	}
}

var bounds = []float64{.005, .1, 1}

// meter makes the metrics that a truthful target has after the case, from its
// spans.
func (s *scene) meter() {
	type series struct{ requests, seconds *dto.Metric }
	by := map[string]series{}
	counter := &dto.MetricFamily{Name: new("requests"), Type: dto.MetricType_COUNTER.Enum()}
	histogram := &dto.MetricFamily{Name: new("seconds"), Type: dto.MetricType_HISTOGRAM.Enum()}
	for i := range s.spans.List {
		sp := &s.spans.List[i]
		if sp.Kind != otlp.Server {
			continue
		}
		labels := func() []*dto.LabelPair {
			return []*dto.LabelPair{pair("method", sp.Method), pair("code", fmt.Sprint(sp.Code)), pair("error", sp.Class)}
		}
		k := fmt.Sprint(labels())
		if _, ok := by[k]; !ok {
			h := &dto.Histogram{SampleCount: new(uint64(0)), SampleSum: new(float64(0))}
			for _, le := range bounds {
				h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: new(le), CumulativeCount: new(uint64(0))})
			}
			by[k] = series{&dto.Metric{Label: labels(), Counter: &dto.Counter{Value: new(float64(0))}}, &dto.Metric{Label: labels(), Histogram: h}}
			counter.Metric, histogram.Metric = append(counter.Metric, by[k].requests), append(histogram.Metric, by[k].seconds)
		}
		*by[k].requests.Counter.Value++
		h, took := by[k].seconds.Histogram, float64(sp.End-sp.Start)/1e9
		*h.SampleCount++
		*h.SampleSum += took
		placed := false
		for _, b := range h.Bucket {
			if took <= b.GetUpperBound() {
				*b.CumulativeCount++
				if !placed {
					b.Exemplar = &dto.Exemplar{Label: []*dto.LabelPair{pair("trace_id", hex.EncodeToString(sp.Trace[:]))}, Value: new(took)}
				}
				placed = true
			}
		}
	}
	s.after = []*dto.MetricFamily{counter, histogram, s.tried()}
	s.before = []*dto.MetricFamily{}
}

// tried makes the counter of attempts from the client spans.
func (s *scene) tried() *dto.MetricFamily {
	f := &dto.MetricFamily{Name: new("attempts"), Type: dto.MetricType_COUNTER.Enum()}
	by := map[string]*dto.Metric{}
	for i := range s.spans.List {
		sp := &s.spans.List[i]
		if sp.Kind != otlp.Client {
			continue
		}
		outcome := cmp.Or(sp.ErrorType, fmt.Sprintf("%dxx", sp.Code/100))
		if by[outcome] == nil {
			by[outcome] = &dto.Metric{Label: []*dto.LabelPair{pair("upstream", "a"), pair("outcome", outcome)}, Counter: &dto.Counter{Value: new(float64(0))}}
			f.Metric = append(f.Metric, by[outcome])
		}
		*by[outcome].Counter.Value++
	}
	return f
}

func pair(name, value string) *dto.LabelPair {
	return &dto.LabelPair{Name: new(name), Value: new(value)}
}

// series finds a series of the metrics by its status.
func (s *scene) series(family int, code string) *dto.Metric {
	for _, m := range s.after[family].Metric {
		if m.Label[1].GetValue() == code {
			return m
		}
	}
	panic("no series")
}

func scraped(t testing.TB, families []*dto.MetricFamily, when int64) *audit.Scrape {
	t.Helper()
	var b bytes.Buffer
	e := expfmt.NewEncoder(&b, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for _, f := range families {
		require.NoError(t, e.Encode(f))
	}
	scrape, err := audit.ParseScrape(&b, when)
	require.NoError(t, err)
	return scrape
}

// run audits the scene. What bent changes is changed before the metrics are
// made of the spans, what lied changes afterwards.
func (s *scene) run(t *testing.T, bent, lied func(*scene)) map[string]audit.Result {
	t.Helper()
	if bent != nil {
		bent(s)
	}
	if s.after == nil {
		s.meter()
	}
	if lied != nil {
		lied(s)
	}
	l, err := ledger.Join(s.books)
	require.NoError(t, err)
	s.facts.Ledger = l
	s.facts.Spans, s.facts.Log, s.facts.Errors = &s.spans, &s.log, &s.errors
	if s.pushed {
		s.push()
	}
	if s.facts.Before == nil && s.facts.Case.Target.Quiet != nil {
		s.facts.Before, s.facts.After = scraped(t, s.before, start), scraped(t, s.after, at(10))
	}
	results := map[string]audit.Result{}
	for _, r := range audit.Run(&s.facts) {
		results[r.Name] = r
	}
	require.Len(t, results, len(audit.Names()))
	return results
}

// declare makes the target one whose file names its metrics and no gauge.
func (s *scene) declare() *scene {
	delete(s.facts.Case.Target.Quiet.Metrics, "inflight")
	s.facts.Case.Target.Says.Meter.Declared = true
	s.facts.Case.Target.Says.Meter.Where = map[string]map[string]string{"errors": {"proxy": "in"}}
	return s
}

func (s *scene) failures(n float64) *scene {
	s.facts.Case.Target.Says.Meter.Errors = "errors"
	return s.counter("errors", n, pair("proxy", "in")).counter("other", 99)
}

func (s *scene) tries(n float64) *scene {
	s.facts.Case.Target.Says.Meter.Outcome = ""
	s.after = s.after[:2]
	return s.counter("attempts", n)
}

func (s *scene) counter(name string, n float64, labels ...*dto.LabelPair) *scene {
	s.after = append(s.after, &dto.MetricFamily{
		Name: new(name), Type: dto.MetricType_COUNTER.Enum(),
		Metric: []*dto.Metric{{Label: labels, Counter: &dto.Counter{Value: new(n)}}},
	})
	return s
}
