package breaker

import "time"

// admit takes a probe's place, if there is one, in the period that is running.
func (p *phase) admit(length time.Duration, most uint64) (period uint64, ok bool) {
	period = uint64(time.Since(p.since)/length) & (1<<32 - 1)
	for {
		old := p.probes.Load()
		in, admitted, flying := old>>32, old>>16&(1<<16-1), old&(1<<16-1)
		if in != period {
			admitted = 0
		}
		if admitted >= most || flying >= most {
			return 0, false
		}
		if p.probes.CompareAndSwap(old, period<<32|(admitted+1)<<16|(flying+1)) {
			return period, true
		}
	}
}

// leave ends a probe; refund also gives back its place in its period.
func (p *phase) leave(period uint64, refund bool) {
	for {
		old := p.probes.Load()
		in, admitted, flying := old>>32, old>>16&(1<<16-1), old&(1<<16-1)
		if refund && in == period && admitted > 0 {
			admitted--
		}
		if p.probes.CompareAndSwap(old, in<<32|admitted<<16|(flying-1)) {
			return
		}
	}
}
