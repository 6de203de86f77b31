package overhead_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/fixtures/units"
	"gauntlet/scenarios/load"
	"gauntlet/scenarios/overhead"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(t *testing.T) overhead.Config {
	return overhead.Config{
		Load:  load.Load{Name: "load", Rate: 100, For: units.Duration(200 * time.Millisecond)},
		Pairs: 3, Seed: 5, Dir: t.TempDir(),
	}
}

// A delay is a floor: however slow the machine, no exchange that went through it
// took less, and all of both ways came back.
func TestADelayIsInOneWayOnly(t *testing.T) {
	cfg := config(t)
	cfg.Delay = 300 * time.Millisecond
	var done []int
	cfg.Progress = func(n int) { done = append(done, n) }
	pairs, err := overhead.Run(t.Context(), cfg)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3}, done)
	fastest := time.Hour
	for _, p := range pairs {
		for _, l := range []overhead.Leg{p.Direct, p.Through} {
			require.Equal(t, 20, l.Sent)
			require.Len(t, l.Took, 20)
			require.Zero(t, l.Failed)
			require.Zero(t, l.CPU, "there is no proxy")
		}
		require.GreaterOrEqual(t, slices.Min(p.Through.Took), 300*time.Millisecond)
		fastest = min(fastest, slices.Min(p.Direct.Took))
	}
	require.Less(t, fastest, 300*time.Millisecond)
}

func TestARunThatIsBrokenOffLeavesNothing(t *testing.T) {
	cfg := config(t)
	cfg.Pairs = 1000
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	why := errors.New("enough")
	cfg.Progress = func(int) { cancel(why) }
	pairs, err := overhead.Run(ctx, cfg)
	require.ErrorIs(t, err, why)
	require.Len(t, pairs, 1)
}
