package transport

const (
	headRoom    = 4 << 10  // of a new buffer for a request head
	maxKeptHead = 64 << 10 // larger ones, first block of a body included, are not kept
)

// block gives a buffer for an upload.
func (p *Pool) block() *[]byte {
	if b, ok := p.blocks.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, chunkRoom+uploadBlock+tailRoom)
	return &b
}

// headBuf gives an empty buffer for a request head.
func (p *Pool) headBuf() *[]byte {
	if b, ok := p.heads.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, headRoom)
	return &b
}

func (p *Pool) putHeadBuf(b *[]byte) {
	if cap(*b) <= maxKeptHead {
		*b = (*b)[:0]
		p.heads.Put(b)
	}
}
