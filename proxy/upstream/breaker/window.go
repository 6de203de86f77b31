package breaker

import (
	"sync/atomic"
	"time"
)

const (
	buckets  = 10
	countCap = 1<<20 - 1
)

// window counts the outcomes of the latest stretch of time in buckets, each
// one word: epoch (24 bits), total (20), failures (20). A bucket is taken over
// by its next epoch in the same compare-and-swap that counts, so that no
// outcome is lost or counted in two epochs.
type window struct {
	width   time.Duration // of one bucket
	buckets [buckets]atomic.Uint64
}

func pack(epoch, total, failures uint64) uint64 { return epoch<<40 | total<<20 | failures }

func unpack(w uint64) (epoch, total, failures uint64) {
	return w >> 40, w >> 20 & countCap, w & countCap
}

func (w *window) epoch(now time.Time) uint64 {
	return uint64(now.UnixNano()/int64(w.width)) & (1<<24 - 1)
}

// add counts outcomes at now. Counts stop at their cap.
func (w *window) add(now time.Time, total, failures uint64) {
	epoch := w.epoch(now)
	b := &w.buckets[epoch%buckets]
	for {
		old := b.Load()
		e, t, f := unpack(old)
		if e != epoch {
			t, f = 0, 0
		}
		if b.CompareAndSwap(old, pack(epoch, min(t+total, countCap), min(f+failures, countCap))) {
			return
		}
	}
}

// sum adds up the buckets that are not older than the window.
func (w *window) sum(now time.Time) (total, failures uint64) {
	epoch := w.epoch(now)
	for i := range w.buckets {
		e, t, f := unpack(w.buckets[i].Load())
		if (epoch-e)&(1<<24-1) < buckets {
			total += t
			failures += f
		}
	}
	return total, failures
}
