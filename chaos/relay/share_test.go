package relay

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/chaos"
)

func TestShareIsWithinOnePoint(t *testing.T) {
	for seed := range uint64(40) {
		for _, share := range []float64{0.01, 0.1, 1.0 / 3, 0.5, 0.9, 0.99} {
			w := &window{Window: Window{Number: uint16(seed%7 + 1), Share: share}}
			n := 0
			for number := range uint32(10_000) {
				if w.covers(Config{Seed: seed}, number+1) {
					n++
				}
			}
			require.InDelta(t, share, float64(n)/10_000, 0.01)
		}
	}
}

func TestSharesOfTwoWindowsDiffer(t *testing.T) {
	a, b := &window{Window: Window{Number: 1, Share: 0.5}}, &window{Window: Window{Number: 2, Share: 0.5}}
	same := 0
	for number := range uint32(1000) {
		if a.covers(Config{Seed: 1}, number) == b.covers(Config{Seed: 1}, number) {
			same++
		}
	}
	require.NotContains(t, []int{0, 1000}, same)
}

func TestEdgesThatMeetMakeRoomFirst(t *testing.T) {
	k := newClock([]*window{
		{Window: Window{Number: 2, From: 2, Fault: chaos.Refuse{}}},
		{Window: Window{Number: 1, From: 1, Until: 2, Fault: chaos.Refuse{}}},
	})
	var told []string
	act := func(e edge) { told = append(told, fmt.Sprint(e.w.Number, e.open)) }
	k.begin(time.Now().Add(-time.Second), act)
	require.Equal(t, []string{"1 true", "1 false", "2 true"}, told)
	k.begin(time.Now(), act)
	require.Len(t, told, 3, "a second beginning changes nothing")
}

// Whatever the kind, the share of connections or answers is within a point, and
// follows from the seed.
func TestTheShareOfEveryKind(t *testing.T) {
	for _, k := range chaos.Kinds() {
		spec, err := chaos.Parse([]byte(k.Example))
		require.NoError(t, err)
		config := Config{Seed: 7, Windows: []Window{{Number: 1, Fault: spec.Fault, Share: 0.2}}}
		if _, whole := spec.Fault.(chaos.ConnectFault); whole {
			_, err := windows(config)
			require.ErrorContains(t, err, "acts on the link as a whole", k.Name)
			continue
		}
		touched := func() (all []bool) {
			made, err := windows(config)
			require.NoError(t, err, k.Name)
			for number := range uint32(10_000) {
				if made[0].answers {
					all = append(all, made[0].draws(config))
				} else {
					all = append(all, made[0].covers(config, number+1))
				}
			}
			return all
		}
		first, n := touched(), 0
		for _, did := range first {
			if did {
				n++
			}
		}
		require.InDelta(t, 2000, n, 100, k.Name)
		require.Equal(t, first, touched(), k.Name)
	}
}
