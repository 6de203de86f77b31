package health_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gauntlet/proxy/upstream/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errSick = errors.New("sick")

// watch probes with answers given in turn, "." well and "x" not, and notes
// when what is believed changes. Time counts from the start, in intervals.
func watch(t *testing.T, presumed bool, answers string) (changes []string) {
	start := time.Now()
	done := make(chan struct{})
	n := 0
	p := health.Start(health.Config{
		Check: func(ctx context.Context, _ string) error {
			if n == len(answers) {
				close(done)
				<-ctx.Done() // no more is said
				return nil
			}
			if n++; answers[n-1] == 'x' {
				return errSick
			}
			return nil
		},
		Timeout: time.Hour,
		Random:  func() float64 { return 0.5 },
	}, "a:1", presumed, func(healthy bool, cause error) {
		change := time.Since(start).String() + " sick"
		if healthy {
			require.NoError(t, cause)
			change = time.Since(start).String() + " well"
		} else {
			require.ErrorIs(t, cause, errSick)
		}
		changes = append(changes, change)
	})
	<-done
	p.Close()
	return changes
}

func TestThresholds(t *testing.T) {
	for name, c := range map[string]struct {
		presumed bool
		answers  string
		want     []string
	}{
		"well":                        {true, ".....", nil},
		"two failures are not enough": {true, "xx.xx.xx.", nil},
		"three are":                   {true, "xxx", []string{"25s sick"}},
		"one success is not enough":   {true, "xxx.x.x", []string{"25s sick"}},
		"two are":                     {true, "xxx..", []string{"25s sick", "45s well"}},
		"and it may fall again":       {true, "xxx...xxx", []string{"25s sick", "45s well", "1m25s sick"}},
		"new and well":                {false, ".", []string{"0s well"}},
		"new and late":                {false, "xxxxx.", []string{"50s well"}},
		"new and weak":                {false, ".xxx.", []string{"0s well", "30s sick"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				require.Equal(t, c.want, watch(t, c.presumed, c.answers))
			})
		})
	}
}

// A probe that hangs is a failure when its time is up, and closing waits for
// the one that runs.
func TestHangingProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, running := time.Now(), 0
		sick := make(chan time.Duration, 1)
		p := health.Start(health.Config{
			Check: func(ctx context.Context, _ string) error {
				running++
				defer func() { running-- }()
				<-ctx.Done()
				return ctx.Err()
			},
			Interval: time.Second, Timeout: 500 * time.Millisecond, Random: func() float64 { return 0 },
		}, "a:1", true, func(_ bool, cause error) {
			require.ErrorIs(t, cause, context.DeadlineExceeded)
			sick <- time.Since(start)
		})
		require.Equal(t, 3*500*time.Millisecond+2*time.Second, <-sick)
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 1, running)
		p.Close()
		require.Zero(t, running)
	})
}
