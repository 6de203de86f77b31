package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/exchange"
	"gauntlet/scenarios/audit"
	"gauntlet/scenarios/evidence"
)

func TestSayingsAreTheLinesOfTheWantedExchanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	id := func(seq uint64) string { return exchange.ID{Run: run, Seq: seq}.String() }
	text := fmt.Sprintf(`{"level":"INFO","msg":"exchange","ts":"2026-11-21T18:00:00.5Z","trace_id":"%s","x_gauntlet_id":%q,"method":"GET","status":200,"duration_ms":1.5}
{"id":%q,"status":404}
{"id":%q,"status":200}
no JSON %s
{"id":%q,"status":502}`, hexTrace(1), id(1), id(1), id(2), id(1), id(3))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	said, err := audit.ReadSayings(path, run, func(seq uint64) bool { return seq != 2 })
	require.NoError(t, err)
	at := time.Date(2026, 11, 21, 18, 0, 0, 501_500_000, time.UTC).UnixNano()
	require.Equal(t, map[uint64][]audit.Saying{
		1: {{at, "method=GET status=200 duration_ms=1.5"}, {0, "status=404"}},
		3: {{0, "status=502"}},
	}, said)
	_, err = audit.ReadSayings(path+".gone", run, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = audit.ReadLog(path+".gone", run, evidence.Fields{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = audit.ReadScrape(path+".gone", 0)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = audit.ReadScrape(path, 0)
	require.Error(t, err)
}
