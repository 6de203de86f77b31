package expect

import (
	"fmt"
	"strconv"
	"time"

	"gauntlet/reports"
	"gauntlet/scenarios/ledger"
)

// quiesce is how long after the clients' end a target must have come to rest.
const quiesce = 3 * time.Second

// invariants judges that no exchange broke I1 to I8 or I10, as far as this case has
// evidence: the ledger knows I1 to I7, the settings I8, the metrics I10.
func (f *Facts) invariants(out *Finding) {
	violations := append(f.Ledger.Invariants(), f.amplified()...)
	violations = append(violations, f.leaked()...)
	out.Verdict = reports.Pass
	if len(violations) == 0 {
		if f.Case.Backends == 0 { // all that clients can see is I2
			out.Verdict, out.Missing, out.Message = reports.Unsupported, []string{Backend}, "the target gives no "+Backend
		}
		return
	}
	out.Verdict, out.Unavoidable = reports.Exposed, true
	counts := map[string]int{}
	for _, v := range violations {
		counts[v.Invariant]++
		if !v.Unavoidable {
			out.Verdict, out.Unavoidable = out.Level.Failed(), false
		}
		if v.Seq != 0 {
			out.Exchanges = append(out.Exchanges, v.Seq)
		}
	}
	out.Exchanges = concerned(out.Exchanges)
	for _, name := range sortedKeys(counts) {
		out.Values = append(out.Values, Value{Operand: name, Value: fmt.Sprintf("broken %d times", counts[name])})
	}
	out.Message = fmt.Sprintf("%s: %s", violations[0].Invariant, violations[0].Detail)
}

// amplified gives the exchanges that backends saw more often than one try, one
// recovery and the configured retries explain (I8). A target whose retries
// nobody knows is accused of nothing.
func (f *Facts) amplified() (wrong []ledger.Violation) {
	retries, err := strconv.Atoi(f.Case.Settings["upstream.retries"])
	if err != nil {
		return nil
	}
	most := 1 + max(1, retries)
	for e := range f.Ledger.All() {
		if n := len(e.Attempts); n > most {
			wrong = append(wrong, ledger.Violation{Invariant: "I8", Seq: e.Seq, Detail: fmt.Sprintf("backends saw exchange %d %d times; at most %d are explained", e.Seq, n, most)})
		}
	}
	return wrong
}

// leaked reports what the target still held when it had had time to come to
// rest and never was seen at rest (I10). Without such a look there is no
// accusation.
func (f *Facts) leaked() []ledger.Violation {
	if f.have(Metrics) != nil {
		return nil
	}
	late := false
	held := ""
	for _, s := range f.Case.Target.Samples {
		if s.At < f.Case.End {
			continue
		}
		leased, inflight := s.Metrics["pool_leased"], s.Metrics["inflight"]
		if leased == 0 && inflight == 0 {
			return nil
		}
		if s.At >= f.Case.End+int64(quiesce)*2/3 {
			late = true
			held = fmt.Sprintf("pool_leased %v, inflight %v", leased, inflight)
		}
	}
	if !late {
		return nil
	}
	return []ledger.Violation{{Invariant: "I10", Detail: "the target never came to rest after its clients had gone: " + held}}
}
