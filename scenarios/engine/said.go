package engine

import (
	"cmp"
	"path/filepath"
	"slices"

	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/evidence"
	"gauntlet/scenarios/ledger"
	"gauntlet/scenarios/otlp"
)

// lines puts what the books, the target's spans and its access log say of these
// exchanges on one time line each.
func lines(dir evidence.Dir, facts *evidence.Case, l *ledger.Ledger, seqs []uint64) (map[uint64][]ledger.Moment, error) {
	wanted := func(seq uint64) bool { return slices.Contains(seqs, seq) }
	ref := facts.Ref()
	all := map[uint64][]ledger.Moment{}
	for _, seq := range seqs {
		all[seq] = l.Explain(seq)
	}
	spans, err := otlp.ReadMoments(dir.Spans(ref), facts.Run, wanted)
	if err = unlessGone(err); err != nil {
		return nil, err
	}
	for seq, list := range spans {
		for _, m := range list {
			all[seq] = append(all[seq], ledger.Moment(m))
		}
	}
	if name := facts.Target.Says.Log; name != "" {
		said, err := audit.ReadSayings(filepath.Join(dir.Target(ref), name), facts.Run, wanted)
		if err = unlessGone(err); err != nil {
			return nil, err
		}
		for seq, list := range said {
			for _, s := range list {
				if s.Time != 0 {
					all[seq] = append(all[seq], ledger.Moment{Time: s.Time, Party: "target", What: "log line " + s.What})
				}
			}
		}
	}
	for _, list := range all {
		slices.SortStableFunc(list, func(a, b ledger.Moment) int { return cmp.Compare(a.Time, b.Time) })
	}
	return all, nil
}
